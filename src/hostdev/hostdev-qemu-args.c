/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-qemu-args.h"

#include <string.h>

#include "hostdev/hostdev-xml.h"

static void
read_option (const char *option, HostdevIcMode *ic_mode, gboolean *kernel_irqchip)
{
  if (strcmp (option, "ic-mode=dual") == 0)
    *ic_mode = HOSTDEV_IC_DUAL;
  else if (strcmp (option, "ic-mode=xive") == 0)
    *ic_mode = HOSTDEV_IC_XIVE;
  else if (strcmp (option, "ic-mode=xics") == 0)
    *ic_mode = HOSTDEV_IC_XICS;
  else if (g_str_has_prefix (option, "kernel-irqchip=")
           || g_str_has_prefix (option, "kernel_irqchip="))
    *kernel_irqchip = strcmp (strchr (option, '=') + 1, "off") != 0;
}

/* QEMU takes one dash or two. */
static gboolean
is_option (const char *argument, const char *name)
{
  const char *rest = argument + (g_str_has_prefix (argument, "--") ? 2 : 1);

  return argument[0] == '-' && strcmp (rest, name) == 0;
}

void
hostdev_qemu_args_read (const xmlNode *domain, HostdevIcMode *ic_mode, gboolean *kernel_irqchip)
{
  gboolean follows = FALSE; /* the argument is the value of an option of ours */

  for (const xmlNode *list = domain->children; list != NULL; list = list->next)
    for (const xmlNode *node = hostdev_xml_is_qemu (list, "commandline") ? list->children : NULL;
         node != NULL; node = node->next)
      {
        if (!hostdev_xml_is_qemu (node, "arg"))
          continue;
        g_autofree char *value = common_xml_get_or_empty (node, "value");
        if (follows)
          {
            g_auto (GStrv) options = g_strsplit (value, ",", -1);

            for (guint i = 0; options[i] != NULL; i++)
              read_option (options[i], ic_mode, kernel_irqchip);
          }
        follows = !follows
                  && (is_option (value, "machine") || is_option (value, "M")
                      || is_option (value, "accel"));
      }
}
