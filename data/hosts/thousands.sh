#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# thousands.sh - writes the description of a host with 4,096 PCI functions: 16 host bridges, each with a switch of 32 slots, each slot with
# a network card of 8 functions; or of one with fewer
#
# usage: thousands.sh [HOST-BRIDGES [SLOTS [FUNCTIONS-OF-A-CARD]]]

set -eu

exec awk -v phbs="${1-16}" -v slots="${2-32}" -v functions="${3-8}" 'BEGIN {
  print "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
  print "<!-- SPDX-License-Identifier: LGPL-2.1-or-later -->"
  printf "<!-- %d functions in %d IOMMU groups: what is slow shows here. Made by thousands.sh. -->\n", phbs * slots * functions, phbs * slots
  print "<simulated-host kernel=\"6.12\" platform=\"powernv\" cpus=\"176\" model=\"8335-GTH\" compatible=\"ibm,witherspoon ibm,powernv\">"
  for (phb = 0; phb < phbs; phb++) {
    printf "  <phb domain=\"%d\">\n", phb
    printf "    <bridge address=\"%04x:00:00.0\" bus=\"1\" vendor=\"0x1014\" device=\"0x04c1\" driver=\"pcieport\">\n", phb
    printf "      <bridge address=\"%04x:01:00.0\" bus=\"2\" vendor=\"0x10b5\" device=\"0x8796\" driver=\"pcieport\">\n", phb
    for (slot = 0; slot < slots; slot++) {
      printf "        <bridge address=\"%04x:02:%02x.0\" bus=\"%d\" vendor=\"0x10b5\" device=\"0x8796\" driver=\"pcieport\">\n", phb, slot, slot + 3
      for (f = 0; f < functions; f++)
        printf "          <function address=\"%04x:%02x:00.%d\" vendor=\"0x15b3\" device=\"0x1017\" subsystem-vendor=\"0x1014\" " \
               "subsystem-device=\"0x0635\" class=\"0x020000\" driver=\"mlx5_core\" msix=\"64\" reset=\"flr\"/>\n", phb, slot + 3, f
      print "        </bridge>"
    }
    print "      </bridge>\n    </bridge>\n  </phb>"
  }
  print "</simulated-host>"
}'
