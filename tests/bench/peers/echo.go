// SPDX-License-Identifier: ISC

// A goroutine for each connection: "echo PATH".
package main

import (
	"io"
	"log"
	"net"
	"os"
)

func serve(client net.Conn) {
	defer client.Close()
	io.Copy(client, client)
}

func main() {
	door, err := net.Listen("unix", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	for {
		client, err := door.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go serve(client)
	}
}
