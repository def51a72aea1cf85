/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "hostdev/hostdev-verify.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

typedef struct
{
  GStrv lines;
  guint next;
} Answers;

/* The next line, whatever the question is; no more answers is what ends it. */
static char *
answer (const char *command, gpointer data, GError **error)
{
  Answers *answers = data;

  if (answers->lines[answers->next] != NULL)
    return g_strdup (answers->lines[answers->next++]);
  g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_LIBVIRT_UNAVAILABLE, "none");
  return NULL;
}

/* QEMU's answers, a line each: a guest may have taken its QEMU over. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const char xml[]
      = "<domain type='kvm' id='1'><name>guest</name><os><type arch='s390x' "
        "machine='s390-ccw-virtio'>hvm</type></os><devices><hostdev type='pci'><source><address "
        "domain='2'/></source><alias name='hostdev0'/><address type='pci' slot='1'><zpci uid='5' "
        "fid='7'/></address></hostdev></devices></domain>";
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  Answers answers = { lines, 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) functions = hostdev_monitor_read (answer, &answers, &error);
  g_autoptr (HostdevDomain) domain = hostdev_domain_new_from_xml (xml, -1, NULL);

  g_assert_cmpint (functions == NULL, ==, error != NULL);
  HostdevSeen seen = { .functions = functions };
  g_autoptr (HostdevVerdict) verdict = hostdev_verify (domain, &seen);
  g_assert_cmpuint (verdict->devices->len, ==, 1);
  g_assert_true (hostdev_plan_is_allowed (verdict->said));
  return 0;
}
