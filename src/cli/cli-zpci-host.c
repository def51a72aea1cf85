/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-zpci-host.h"

/* Numbers there have 0x before them: "0x00000100". */
static gboolean
read_number (const char *directory, const char *name, guint *number)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  g_autofree char *text = NULL;
  guint64 value;
  char *end;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return FALSE;
  g_strstrip (text);
  value = g_ascii_strtoull (text, &end, 0);
  if (end == text || *end != '\0' || value > G_MAXUINT)
    return FALSE;
  *number = (guint) value;
  return TRUE;
}

static char *
read_driver (const char *directory)
{
  g_autofree char *path = g_build_filename (directory, "driver", NULL);
  g_autofree char *target = g_file_read_link (path, NULL);

  return target == NULL ? g_strdup ("") : g_path_get_basename (target);
}

static HostdevZpciHost *
read_function (const char *devices, const PciAddress *address)
{
  char name[PCI_ADDRESS_LEN];
  g_autofree char *directory = g_build_filename (devices, pci_address_format (address, name), NULL);
  HostdevZpciHost *function;
  guint unique = 0;

  if (!g_file_test (directory, G_FILE_TEST_IS_DIR))
    return NULL;
  function = g_new0 (HostdevZpciHost, 1);
  function->address = *address;
  function->driver = read_driver (directory);
  function->has_ids = read_number (directory, "function_id", &function->fid)
                      && read_number (directory, "uid", &function->uid)
                      && read_number (directory, "pchid", &function->pchid);
  /* Linux 5.13 and later */
  function->uid_is_unique = read_number (directory, "uid_is_unique", &unique) && unique == 1;
  return function;
}

GPtrArray *
cli_zpci_read_host (const char *devices, const HostdevDomain *domain)
{
  GPtrArray *functions = g_ptr_array_new_with_free_func ((GDestroyNotify) hostdev_zpci_host_free);
  const GPtrArray *given = hostdev_domain_get_devices (domain);

  for (guint i = 0; i < given->len; i++)
    {
      HostdevZpciHost *function
          = read_function (devices, &((const HostdevDevice *) given->pdata[i])->address);

      if (function != NULL)
        g_ptr_array_add (functions, function);
    }
  return functions;
}
