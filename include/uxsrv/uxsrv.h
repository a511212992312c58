/* SPDX-License-Identifier: ISC */
#ifndef UXS_UXSRV_H
#define UXS_UXSRV_H

/*
 * All of libuxsrv. In the order in which data flows:
 *
 *	listener ─► peer ─► access ─► ledger ─► session ─► service
 */

#include <uxsrv/access.h>
#include <uxsrv/activation.h>
#include <uxsrv/address.h>
#include <uxsrv/error.h>
#include <uxsrv/fate.h>
#include <uxsrv/framing.h>
#include <uxsrv/handover.h>
#include <uxsrv/initial.h>
#include <uxsrv/ledger.h>
#include <uxsrv/listener.h>
#include <uxsrv/lock.h>
#include <uxsrv/log.h>
#include <uxsrv/loop.h>
#include <uxsrv/notify.h>
#include <uxsrv/peer.h>
#include <uxsrv/place.h>
#include <uxsrv/probe.h>
#include <uxsrv/rules.h>
#include <uxsrv/server.h>
#include <uxsrv/service.h>
#include <uxsrv/stats.h>
#include <uxsrv/units.h>

#endif
