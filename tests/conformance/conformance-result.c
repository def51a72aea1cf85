/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance-result.h"

ConformanceResult *
conformance_result_new (const char *script, guint line, const char *text, ConformanceStatus status)
{
  ConformanceResult *result = g_new0 (ConformanceResult, 1);

  result->script = g_strdup (script);
  result->line = line;
  result->text = g_strdup (text);
  result->status = status;
  return result;
}

void
conformance_result_free (ConformanceResult *result)
{
  g_free (result->script);
  g_free (result->text);
  g_free (result->reason);
  g_free (result->expected);
  g_free (result->got);
  g_free (result);
}

GVariant *
conformance_result_to_variant (const ConformanceResult *result)
{
  return g_variant_new (CONFORMANCE_RESULT_TYPE, result->script, result->line, result->text,
                        (guint) result->status, (guint) result->side, result->reason,
                        result->expected, result->got);
}

ConformanceResult *
conformance_result_from_variant (GVariant *variant)
{
  ConformanceResult *result = g_new0 (ConformanceResult, 1);
  guint status, side;

  g_variant_get (variant, CONFORMANCE_RESULT_TYPE, &result->script, &result->line, &result->text,
                 &status, &side, &result->reason, &result->expected, &result->got);
  result->status = (ConformanceStatus) status;
  result->side = (ConformanceSide) side;
  return result;
}
