/* SPDX-License-Identifier: ISC */
#ifndef UXS_SERVER_CONF_H
#define UXS_SERVER_CONF_H

struct uxs_error;
struct uxs_server_conf;

/* May these rules take the place of others, while it serves? As
 * uxs_server_conf_check. */
int server_conf_check_rules(const struct uxs_server_conf *conf,
    struct uxs_error *why);

#endif
