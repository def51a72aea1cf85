/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-reading.h"

#include <glib/gi18n-lib.h>
#include <libvirt/virterror.h>

#include "common/common-error.h"

void
driver_reading_set_unavailable (GError **error, const char *why)
{
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_LIBVIRT_UNAVAILABLE,
               _ ("libvirt cannot be asked about its guests (%s). See “systemctl status libvirtd "
                  "virtqemud”."),
               why);
}

GStrv
driver_reading_domain (virConnectPtr connection, const char *uuid, GError **error)
{
  GStrv texts = NULL;
  virDomainPtr domain = virDomainLookupByUUIDString (connection, uuid);
  char *xml = domain != NULL ? virDomainGetXMLDesc (domain, 0) : NULL;

  if (xml == NULL && virGetLastErrorCode () != VIR_ERR_NO_DOMAIN)
    driver_reading_set_unavailable (error, virGetLastErrorMessage ());
  if (domain != NULL)
    virDomainFree (domain);
  if (xml != NULL)
    {
      texts = g_new0 (char *, 2);
      texts[0] = g_strdup (xml);
      free (xml);
    }
  return texts;
}

/* libvirt lists guests by waiting for each that is held, and holds nothing meanwhile
   (virDomainObjListExport). */
static gboolean
await_all (virConnectPtr connection)
{
  virDomainPtr *domains = NULL;
  int count = virConnectListAllDomains (connection, &domains, 0);

  for (int i = 0; i < count; i++)
    virDomainFree (domains[i]);
  free (domains);
  return count >= 0;
}

GStrv
driver_reading_resting_domain (virConnectPtr connection, const char *uuid, GError **error)
{
  if (await_all (connection))
    return driver_reading_domain (connection, uuid, error);
  driver_reading_set_unavailable (error, virGetLastErrorMessage ());
  return NULL;
}

/* A port that cannot be read has gone meanwhile. */
static void
read_ports (virNetworkPtr network, GPtrArray *texts)
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
}

GStrv
driver_reading_network (virConnectPtr connection, const char *name, GError **error)
{
  virNetworkPtr network = virNetworkLookupByName (connection, name);
  char *xml = network != NULL ? virNetworkGetXMLDesc (network, 0) : NULL;
  GStrv result = NULL;

  if (xml == NULL && virGetLastErrorCode () != VIR_ERR_NO_NETWORK)
    driver_reading_set_unavailable (error, virGetLastErrorMessage ());
  if (xml != NULL)
    {
      GPtrArray *texts = g_ptr_array_new ();

      g_ptr_array_add (texts, g_strdup (xml));
      read_ports (network, texts);
      g_ptr_array_add (texts, NULL);
      result = (GStrv) g_ptr_array_free (texts, FALSE);
    }
  free (xml);
  if (network != NULL)
    virNetworkFree (network);
  return result;
}
