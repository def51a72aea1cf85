/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-libvirt.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdlib.h>

#include "common/common-error.h"
#include "hostdev/hostdev-domain.h"
#include "hostdev/hostdev-network.h"

typedef virConnect Connection;
typedef virDomain Domain;
typedef virNetwork Network;

static void
connection_close (Connection *connection)
{
  virConnectClose (connection);
}

static void
domain_free (Domain *domain)
{
  virDomainFree (domain);
}

static void
network_free (Network *network)
{
  virNetworkFree (network);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Connection, connection_close)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Domain, domain_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Network, network_free)

/* libvirt prints errors by itself unless it is told where they go. */
static void
keep_silent (void *data, virErrorPtr error)
{
}

static Domain *
find_domain (Connection *connection, const char *name)
{
  Domain *domain = virDomainLookupByUUIDString (connection, name);

  return domain != NULL ? domain : virDomainLookupByName (connection, name);
}

static Connection *
connect (const char *uri)
{
  virSetErrorFunc (NULL, keep_silent);
  return virConnectOpenReadOnly (uri != NULL ? uri : g_getenv ("VIRSH_DEFAULT_CONNECT_URI"));
}

static Connection *
connect_or_fail (const char *uri, GError **error)
{
  Connection *connection = connect (uri);

  if (connection == NULL)
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_LIBVIRT_UNAVAILABLE,
                 _ ("libvirt cannot be reached: %s"), virGetLastErrorMessage ());
  return connection;
}

char *
cli_libvirt_get_xml (const char *uri, const char *domain, gboolean inactive, GError **error)
{
  g_autoptr (Connection) connection = NULL;
  g_autoptr (Domain) found = NULL;
  char *text, *xml;

  connection = connect_or_fail (uri, error);
  if (connection == NULL)
    return NULL;
  found = find_domain (connection, domain);
  text = found != NULL ? virDomainGetXMLDesc (found, inactive ? VIR_DOMAIN_XML_INACTIVE : 0) : NULL;
  if (text == NULL)
    {
      g_set_error (error, COMMON_ERROR,
                   found == NULL && virGetLastErrorCode () == VIR_ERR_NO_DOMAIN
                       ? COMMON_ERROR_INVALID_ARGUMENT
                       : COMMON_ERROR_LIBVIRT_UNAVAILABLE,
                   _ ("libvirt does not give the domain “%s”: %s"), domain,
                   virGetLastErrorMessage ());
      return NULL;
    }
  xml = g_strdup (text);
  free (text);
  return xml;
}

static void
fail_network (const char *name, GError **error)
{
  g_set_error (error, COMMON_ERROR,
               virGetLastErrorCode () == VIR_ERR_NO_NETWORK ? COMMON_ERROR_INVALID_ARGUMENT
                                                            : COMMON_ERROR_LIBVIRT_UNAVAILABLE,
               _ ("libvirt does not give the network “%s”: %s"), name, virGetLastErrorMessage ());
}

/* Who has what of the network. A port that cannot be read has gone meanwhile; a driver that knows
 * no ports, as libvirt's test driver, has none. */
static gboolean
add_ports (Network *network, GPtrArray *texts)
{
  virNetworkPortPtr *ports = NULL;
  int count = virNetworkListAllPorts (network, &ports, 0);

  for (int i = 0; i < count; i++)
    {
      char *xml = virNetworkPortGetXMLDesc (ports[i], 0);

      if (xml != NULL)
        g_ptr_array_add (texts, g_strdup (xml));
      free (xml);
      virNetworkPortFree (ports[i]);
    }
  free (ports);
  return count >= 0 || virGetLastErrorCode () == VIR_ERR_NO_SUPPORT;
}

GStrv
cli_libvirt_get_network (const char *uri, const char *network, GError **error)
{
  g_autoptr (Connection) connection = connect_or_fail (uri, error);
  g_autoptr (Network) found = NULL;
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  char *xml;

  if (connection == NULL)
    return NULL;
  found = virNetworkLookupByName (connection, network);
  xml = found != NULL ? virNetworkGetXMLDesc (found, 0) : NULL;
  g_ptr_array_add (texts, g_strdup (xml));
  free (xml);
  if (texts->pdata[0] == NULL)
    {
      fail_network (network, error);
      return NULL;
    }
  if (hostdev_network_hands_out (texts->pdata[0]))
    {
      if (virNetworkIsActive (found) == 0)
        {
          g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                       _ ("The network “%s” hands out functions of the host, but is not active: "
                          "start it first (virsh net-start)."),
                       network);
          return NULL;
        }
      if (!add_ports (found, texts))
        {
          fail_network (network, error);
          return NULL;
        }
    }
  g_ptr_array_add (texts, NULL);
  return (GStrv) g_ptr_array_free (g_steal_pointer (&texts), FALSE);
}

gboolean
cli_libvirt_get_forwarded (const char *uri, const char *domain, guint64 *count)
{
  g_autoptr (Connection) connection = connect (uri);
  g_autoptr (Domain) found = connection == NULL ? NULL : find_domain (connection, domain);
  virDomainPtr domains[] = { found, NULL };
  virDomainStatsRecordPtr *records = NULL;
  unsigned long long value = 0;
  gboolean has;

  if (found == NULL || virDomainListGetStats (domains, VIR_DOMAIN_STATS_VM, &records, 0) < 1)
    return FALSE;
  has = virTypedParamsGetULLong (records[0]->params, records[0]->nparams, "vm.aen_forward.sum",
                                 &value)
        == 1;
  virDomainStatsRecordListFree (records);
  *count = value;
  return has;
}

static void
claim (Domain *domain, HostdevHost *host)
{
  char *xml = virDomainGetXMLDesc (domain, 0);
  g_autoptr (HostdevDomain) read = xml == NULL ? NULL : hostdev_domain_new_from_xml (xml, -1, NULL);
  const GPtrArray *devices = read == NULL ? NULL : hostdev_domain_get_devices (read);

  free (xml);
  for (guint i = 0; devices != NULL && i < devices->len; i++)
    {
      const HostdevDevice *device = g_ptr_array_index (devices, i);

      hostdev_host_claim (host, &device->address, hostdev_domain_get_uuid (read),
                          hostdev_domain_get_name (read), virDomainIsActive (domain) == 1);
    }
}

void
cli_libvirt_claim (const char *uri, HostdevHost *host)
{
  g_autoptr (Connection) connection = connect (uri);
  virDomainPtr *domains = NULL;
  int count = connection == NULL ? -1 : virConnectListAllDomains (connection, &domains, 0);

  for (int i = 0; i < count; i++)
    {
      claim (domains[i], host);
      virDomainFree (domains[i]);
    }
  free (domains);
}
