/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-load.h"

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <sys/stat.h>

static void G_GNUC_NORETURN
fail (void)
{
  g_error ("libvirt: %s", virGetLastErrorMessage ());
}

static void
must (gboolean good)
{
  if (!good)
    fail ();
}

/* The least that a call can be: a question of a few bytes. */
static void
small_call (const BenchClient *client)
{
  unsigned long version;

  must (virConnectGetLibVersion (client->connection, &version) == 0);
}

/* A reply as large as the domain's description. */
static void
large_reply (const BenchClient *client)
{
  char *text = virDomainGetMetadata (client->domain, VIR_DOMAIN_METADATA_DESCRIPTION, NULL, 0);

  must (text != NULL);
  free (text);
}

static void
upload (const BenchClient *client)
{
  virStreamPtr stream = virStreamNew (client->connection, 0);

  must (stream != NULL && virStorageVolUpload (client->volume, stream, 0, BENCH_VOLUME, 0) == 0);
  for (gsize left = BENCH_VOLUME; left > 0;)
    {
      int sent = virStreamSend (stream, client->buffer, MIN (left, (gsize) BENCH_CHUNK));

      must (sent > 0);
      left -= (gsize) sent;
    }
  must (virStreamFinish (stream) == 0);
  virStreamFree (stream);
}

static void
download (const BenchClient *client)
{
  virStreamPtr stream = virStreamNew (client->connection, 0);
  gsize have = 0;
  int got;

  must (stream != NULL && virStorageVolDownload (client->volume, stream, 0, 0, 0) == 0);
  while ((got = virStreamRecv (stream, client->buffer, BENCH_CHUNK)) > 0)
    have += (gsize) got;
  must (got == 0 && have == BENCH_VOLUME && virStreamFinish (stream) == 0);
  virStreamFree (stream);
}

#define KIB 1024

const BenchKind bench_kinds[] = {
  { "call", "test", "default", 0, "test", FALSE, FALSE, small_call },
  { "reply-64-kib", "test", "default", 64 * KIB, "described-64", FALSE, FALSE, large_reply },
  { "reply-1-mib", "test", "default", 1024 * KIB, "described-1024", FALSE, FALSE, large_reply },
  { "upload", "storage", "session", BENCH_VOLUME, NULL, TRUE, FALSE, upload },
  { "download", "storage", "session", BENCH_VOLUME, NULL, FALSE, TRUE, download },
};
const guint bench_n_kinds = G_N_ELEMENTS (bench_kinds);

virConnectPtr
bench_connect (const BenchWays *ways, BenchWay way, const char *scheme, const char *path)
{
  g_autofree char *uri = bench_ways_uri (ways, way, scheme, path);
  virConnectPtr connection = virConnectOpen (uri);

  must (connection != NULL);
  return connection;
}

static void
define_domain (BenchWorld *self, gsize kib)
{
  g_autofree char *description = g_strnfill (kib * KIB, 'x');
  g_autofree char *xml
      = g_strdup_printf ("<domain type='test'><name>described-%zu</name><memory>1024</memory>"
                         "<os><type>hvm</type></os><description>%s</description></domain>",
                         kib, description);
  virDomainPtr domain = virDomainDefineXML (self->test, xml);

  must (domain != NULL);
  virDomainFree (domain);
}

/* A pool for each: libvirtd reads a pool anew after each upload to it. */
static void
create_volume (BenchWorld *self, const char *name)
{
  g_autofree char *path = g_build_filename (self->directory, name, NULL);
  g_autofree char *pool_xml = g_strdup_printf (
      "<pool type='dir'><name>%s</name><target><path>%s</path></target></pool>", name, path);
  g_autofree char *volume_xml = g_strdup_printf (
      "<volume><name>volume</name><capacity>%d</capacity></volume>", BENCH_VOLUME);
  virStoragePoolPtr pool;
  virStorageVolPtr volume;

  g_assert_cmpint (mkdir (path, 0700), ==, 0);
  test_daemon_give (path);
  pool = virStoragePoolCreateXML (self->storage, pool_xml, 0);
  must (pool != NULL);
  volume = virStorageVolCreateXML (pool, volume_xml, 0);
  must (volume != NULL);
  virStorageVolFree (volume);
  virStoragePoolFree (pool);
}

static void
ignore_error (void *data, virErrorPtr error)
{
}

void
bench_world_start (BenchWorld *self, const BenchWays *ways, guint clients)
{
  virSetErrorFunc (NULL, ignore_error);
  self->test = bench_connect (ways, BENCH_WAY_DIRECT, "test", "default");
  self->storage = bench_connect (ways, BENCH_WAY_DIRECT, "storage", "session");
  self->directory = bench_ways_new_directory ();
  define_domain (self, 64);
  define_domain (self, 1024);
  for (guint i = 0; i < clients; i++)
    {
      g_autofree char *name = g_strdup_printf ("own-%u", i);

      create_volume (self, name);
    }
  create_volume (self, "shared");
}

void
bench_world_stop (BenchWorld *self)
{
  virConnectClose (self->test);
  virConnectClose (self->storage);
  test_daemon_remove_tree (self->directory);
  g_free (self->directory);
}
