/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libvirt-data.h"

#include <string.h>

char *
libvirt_data_read_text (const char *path)
{
  g_autoptr (GError) error = NULL;
  char *text;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

/* A file of the source; NULL where there is none. */
char *
libvirt_data_find_file (const char *suite, const char *folder, const char *name)
{
  g_autofree char *path
      = g_build_filename (g_getenv ("LIBVIRT_DATA"), suite, "tests", folder, name, NULL);

  return g_file_test (path, G_FILE_TEST_EXISTS) ? libvirt_data_read_text (path) : NULL;
}

/* All hosts under KVM have one rule for addresses, which those under TCG share; the plan is for KVM
 * alone. */
HostdevDomain *
libvirt_data_read_domain (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) xml = g_string_new (text);

  g_string_replace (xml, "type='qemu'", "type='kvm'", 1);
  HostdevDomain *domain = hostdev_domain_new_from_xml (xml->str, -1, &error);
  g_assert_no_error (error);
  return domain;
}

/* MAKE_PCI_DEVICE("0001:01:00.0", 0x8086, 0x105e, 5, …): of these the address and the group. */
HostdevHost *
libvirt_data_read_host (const char *suite)
{
  g_autofree char *source = libvirt_data_find_file (suite, "", "virpcimock.c");
  g_autoptr (GRegex) regex
      = g_regex_new ("MAKE_PCI_DEVICE\\(\"([0-9a-f:.]+)\", \\w+, \\w+, (\\d+)", 0, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  g_autoptr (GString) xml = g_string_new ("<host platform='powernv'>");
  g_autoptr (GHashTable) groups = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (GError) error = NULL;
  GHashTableIter iter;
  gpointer number, functions;

  g_assert_nonnull (source);
  for (g_regex_match (regex, source, 0, &match); g_match_info_matches (match);
       g_match_info_next (match, NULL))
    {
      g_autofree char *address = g_match_info_fetch (match, 1);
      char *group = g_match_info_fetch (match, 2);
      const char *others = g_hash_table_lookup (groups, group);
      char *all
          = g_strdup_printf ("%s<function address='%s'/>", others != NULL ? others : "", address);

      g_hash_table_insert (groups, group, all);
    }
  g_assert_cmpuint (g_hash_table_size (groups), >=, 10);
  g_hash_table_iter_init (&iter, groups);
  while (g_hash_table_iter_next (&iter, &number, &functions))
    g_string_append_printf (xml, "<group number='%s'>%s</group>", (char *) number,
                            (char *) functions);
  g_string_append (xml, "</host>");
  HostdevHost *host = hostdev_host_new_from_xml (xml->str, -1, &error);
  g_assert_no_error (error);
  return host;
}

/* What libvirt is expected to make of the domain NAME; NULL where it makes nothing of it. */
char *
libvirt_data_find_expected (const char *suite, const char *name, const char *arch)
{
  static const char *const folders[] = { "qemuxml2xmloutdata", "qemuxmlconfdata" };
  g_autofree char *latest = g_strdup_printf (".%s-latest.xml", arch);
  const char *const ends[] = { latest, ".xml", "-active.xml" };

  for (gsize i = 0; i < G_N_ELEMENTS (folders); i++)
    for (gsize j = 0; j < G_N_ELEMENTS (ends) - i * 2; j++)
      {
        g_autofree char *file = g_strconcat (name, ends[j], NULL);
        char *text = libvirt_data_find_file (suite, folders[i], file);

        if (text != NULL)
          return text;
      }
  return NULL;
}

/* The names of the domains of that machine that libvirt's tests begin with. */
GPtrArray *
libvirt_data_list_names (const char *suite, const char *machine)
{
  static const char *const folders[] = { "qemuxml2argvdata", "qemuxmlconfdata" };
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);

  for (gsize i = 0; i < G_N_ELEMENTS (folders); i++)
    {
      g_autofree char *folder
          = g_build_filename (g_getenv ("LIBVIRT_DATA"), suite, "tests", folders[i], NULL);
      g_autoptr (GDir) directory = g_dir_open (folder, 0, NULL);
      const char *file;

      while (directory != NULL && (file = g_dir_read_name (directory)) != NULL)
        {
          g_autofree char *text
              = g_str_has_suffix (file, ".xml") && strstr (file, "-latest.") == NULL
                    ? libvirt_data_find_file (suite, folders[i], file)
                    : NULL;

          if (text != NULL && strstr (text, machine) != NULL)
            g_ptr_array_add (names, g_strndup (file, strlen (file) - strlen (".xml")));
        }
    }
  g_ptr_array_sort (names, (GCompareFunc) (void (*) (void)) g_strcmp0);
  return names;
}
