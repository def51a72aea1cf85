/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/cli-fix-rules.h"

/* What a rule works on. */
typedef struct
{
  CliEdit *edit;
  const HostdevDomain *domain;
  const HostdevHost *host;
  const HostdevDevice *device; /* that is to be attached; NULL: a start */
  const PciAddress *address;   /* of the reason; NULL */
  const HostdevPlan *plan;
} CliFixing;

/** cli_fixing_devices: the domain's <devices>; NULL. */
xmlNode *cli_fixing_devices (const CliFixing *fixing);

/** cli_fixing_find: the element of the device with that address on the host; NULL. */
xmlNode *cli_fixing_find (const CliFixing *fixing, const PciAddress *address);

/**
 * Rules about PHBs and places on them (cli-fix-places.c); each is as cli_fix_apply.
 *   add_free_phb: one more PHB
 *   add_named_phb: that which the device to be attached asks for
 *   move_group: of the groups that share a PHB, one goes to another
 *   join_group: the device goes on the PHB where its group is
 *   change_slot: the device goes on a slot of its own
 *   part_twins: so does one of two devices that have the same
 *   leave_domain: the device goes on PCI domain 0
 *   let_share: function 0 of the device's slot says that there are others
 */
gboolean cli_fix_add_free_phb (const CliFixing *fixing);
gboolean cli_fix_add_named_phb (const CliFixing *fixing);
gboolean cli_fix_move_group (const CliFixing *fixing);
gboolean cli_fix_join_group (const CliFixing *fixing);
gboolean cli_fix_change_slot (const CliFixing *fixing);
gboolean cli_fix_part_twins (const CliFixing *fixing);
gboolean cli_fix_let_share (const CliFixing *fixing);
gboolean cli_fix_leave_domain (const CliFixing *fixing);
