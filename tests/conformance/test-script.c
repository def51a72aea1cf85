/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance-condition.h"
#include "conformance-expect.h"
#include "conformance-script.h"
#include "conformance-value.h"
#include "conformance-verbs.h"

#define HEAD "Title: t\nSource: s\n\n"

static void
test_values (void)
{
  static const struct
  {
    const char *text;
    guint64 value;
  } good[] = {
    { "0", 0 },
    { "64K", 65536 },
    { "0x1300", 0x1300 },
    { "2*64K*0x2000", G_GUINT64_CONSTANT (1) << 30 },
    { "1<<59", G_GUINT64_CONSTANT (1) << 59 },
    { "0<<3|6", 6 },
    { "4G-64K", (G_GUINT64_CONSTANT (4) << 30) - 65536 },
    { "-1", G_MAXUINT64 },
    { "VFIO_EEH", 5 },
    { "READ|WRITE", 3 },
    { "1+2*3", 7 },
  };
  static const char *const bad[] = { "", "12x", "nothing", "1+", "1//2", "64KB", "READ" };
  guint64 value;

  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_true (
          conformance_value (good[i].text, "VFIO_DMA_MAP_FLAG_", NULL, NULL, NULL, &value, &error));
      g_assert_no_error (error);
      g_assert_cmphex (value, ==, good[i].value);
    }
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (conformance_value (bad[i], NULL, NULL, NULL, NULL, &value, &error));
      g_assert_nonnull (error);
    }
}

static void
test_words (void)
{
  g_autoptr (GPtrArray) words
      = conformance_words ("write  /sys/a \"x \\\"y\\\" \\n\" a=\"b c\"", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (words->len, ==, 4);
  g_assert_cmpstr (g_ptr_array_index (words, 2), ==, "x \"y\" \n");
  g_assert_cmpstr (g_ptr_array_index (words, 3), ==, "a=b c");
  g_assert_null (conformance_words ("read \"x", &error));
  g_assert_nonnull (error);
}

/* A reply of a call that gave @answer and flags=1. */
static ConformanceReply *
reply_of (ConformanceAnswer kind, gint64 answer, const char *text)
{
  ConformanceReply *reply = conformance_reply_new ();

  reply->kind = kind;
  reply->answer = answer;
  reply->text = g_strdup (text);
  conformance_reply_add (reply, "flags", 1, NULL, "VFIO_GROUP_FLAGS_", NULL);
  conformance_reply_add (reply, "PQ", 0, "01", NULL, NULL);
  return reply;
}

static void
test_expect (void)
{
  static const struct
  {
    const char *expect;
    ConformanceAnswer kind;
    gint64 answer;
    const char *text;
    gboolean matches;
  } cases[] = {
    { "0", CONFORMANCE_VALUE, 0, NULL, TRUE },
    { "0", CONFORMANCE_VALUE, 1, NULL, FALSE },
    { "0", CONFORMANCE_HANDLE, 0, NULL, FALSE },
    { "0", CONFORMANCE_SIGBUS, 0, NULL, FALSE },
    { "EINVAL", CONFORMANCE_VALUE, -22, NULL, TRUE },
    { "EINVAL", CONFORMANCE_VALUE, 22, NULL, FALSE },
    { "0 or EIO", CONFORMANCE_VALUE, -5, NULL, TRUE },
    { "0 or EIO", CONFORMANCE_VALUE, -22, NULL, FALSE },
    { "handle", CONFORMANCE_HANDLE, 3, NULL, TRUE },
    { "handle", CONFORMANCE_HANDLE, -16, NULL, FALSE },
    { "handle", CONFORMANCE_VALUE, 3, NULL, FALSE },
    { "any", CONFORMANCE_VALUE, -1, NULL, TRUE },
    { "SIGBUS", CONFORMANCE_SIGBUS, 0, NULL, TRUE },
    { "pending", CONFORMANCE_PENDING, 0, NULL, TRUE },
    { "0 flags=VIABLE", CONFORMANCE_VALUE, 0, NULL, TRUE },
    { "0 flags=VIABLE|CONTAINER_SET", CONFORMANCE_VALUE, 0, NULL, FALSE },
    { "0 flags>=1 flags!=2", CONFORMANCE_VALUE, 0, NULL, TRUE },
    { "0 flags<=0", CONFORMANCE_VALUE, 0, NULL, FALSE },
    { "0 nothing=1", CONFORMANCE_VALUE, 0, NULL, FALSE },
    { "PQ=01", CONFORMANCE_VALUE, 0, NULL, TRUE },
    { "PQ=10", CONFORMANCE_VALUE, 0, NULL, FALSE },
    { "PQ=01", CONFORMANCE_SIGBUS, 0, NULL, FALSE },
    { "\"a b\"", CONFORMANCE_VALUE, 0, "a b\n", TRUE },
    { "\"a b\"", CONFORMANCE_VALUE, 0, "a bc\n", FALSE },
    { "\"\"", CONFORMANCE_VALUE, 0, "\n", TRUE },
    { "/^b$/", CONFORMANCE_VALUE, 0, "a\nb\nc\n", TRUE },
    { "!/^b$/", CONFORMANCE_VALUE, 0, "a\nb\nc\n", FALSE },
    { "!/^b$/", CONFORMANCE_VALUE, -2, NULL, FALSE },
    { "/x/", CONFORMANCE_VALUE, 0, NULL, FALSE },
    { "any", CONFORMANCE_MISTAKE, 0, "m", FALSE },
  };
  static const char *const bad[]
      = { "", "0 0", "0 or", "ENOTHING", "0 flags=", "/(/", "/x", "\"x\" y" };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ConformanceExpect) expect = conformance_expect_new (cases[i].expect, &error);
      g_autoptr (ConformanceReply) reply = reply_of (cases[i].kind, cases[i].answer, cases[i].text);
      g_autofree char *got = NULL;

      g_assert_no_error (error);
      g_test_message ("%s", cases[i].expect);
      g_assert_cmpint (conformance_expect_matches (expect, reply, &got), ==, cases[i].matches);
      g_assert_cmpint (got == NULL, ==, cases[i].matches);
    }
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", bad[i]);
      g_assert_null (conformance_expect_new (bad[i], &error));
      g_assert_nonnull (error);
    }
}

static void
test_conditions (void)
{
  const ConformanceFacts facts
      = { .powernv = TRUE, .eeh = TRUE, .release = (char *) "6.12.107+deb13" };
  g_autoptr (GError) error = NULL;

  g_assert_true (conformance_condition_holds ("", &facts));
  g_assert_true (conformance_condition_holds ("powernv eeh", &facts));
  g_assert_false (conformance_condition_holds ("powernv no-eeh", &facts));
  g_assert_true (conformance_condition_holds ("kernel>=6.12", &facts));
  g_assert_true (conformance_condition_holds ("kernel<6.13", &facts));
  g_assert_false (conformance_condition_holds ("kernel<6.2", &facts));
  g_assert_false (conformance_condition_holds ("kernel>=7.0", &facts));
  g_assert_false (conformance_condition_check ("kernel>6.1", &error));
  g_clear_error (&error);
  g_assert_false (conformance_condition_check ("powernv ehh", &error));
  g_assert_nonnull (g_strstr_len (error->message, -1, "ehh"));
}

static void
test_variables (void)
{
  g_autoptr (GHashTable) variables = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  g_hash_table_insert (variables, (gpointer) "bdf", (gpointer) "0000:01:00.0");
  text = conformance_expand ("a $bdf ${bdf}x $ 5$", variables, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, "a 0000:01:00.0 0000:01:00.0x $ 5$");
  g_assert_null (conformance_expand ("$nothing", variables, &error));
  g_assert_nonnull (g_strstr_len (error->message, -1, "$nothing"));
}

static void
test_script (void)
{
  static const char text[] = "# licence\n"
                             "Title: Groups\n"
                             "Source: drivers/vfio/group.c\n"
                             "Needs: group, eeh\n"
                             "Bind: $bdf $bdf2\n"
                             "Time: 90\n"
                             "\n"
                             "group = open /dev/vfio/$group   # a comment\n"
                             "VFIO_CHECK_EXTENSION group VFIO_EEH -> 1\n"
                             "  | no-eeh powernv -> 0\n"
                             "model-only \"vfio_group_fops_open\"\n"
                             "within 2s other: read /sys/a#b -> /^a # b$/  # another\n"
                             "end\n"
                             "VFIO_IOMMU_SPAPR_TCE_CREATE group \\\n"
                             "  page_shift=12 -> 0 levels=1 keep start_addr=window levels=n\n";
  g_autoptr (GError) error = NULL;
  g_autoptr (ConformanceScript) script = conformance_script_parse ("a/b.check", text, &error);
  const ConformanceLine *line;
  const ConformanceAlternative *alternative;
  const ConformanceKeep *keep;

  g_assert_no_error (error);
  g_assert_cmpstr (script->name, ==, "b.check");
  g_assert_cmpstr (script->title, ==, "Groups");
  g_assert_cmpuint (script->needs->len, ==, 2);
  g_assert_cmpuint (script->bind->len, ==, 2);
  g_assert_cmpuint (script->seconds, ==, 90);
  g_assert_cmpuint (script->lines->len, ==, 4);

  line = g_ptr_array_index (script->lines, 0);
  g_assert_cmpuint (line->line, ==, 8);
  g_assert_cmpstr (line->call, ==, "group = open /dev/vfio/$group");
  g_assert_cmpuint (line->alternatives->len, ==, 0);

  line = g_ptr_array_index (script->lines, 1);
  g_assert_cmpuint (line->alternatives->len, ==, 2);
  alternative = g_ptr_array_index (line->alternatives, 1);
  g_assert_cmpstr (alternative->condition, ==, "no-eeh powernv");
  g_assert_cmpstr (alternative->answer, ==, "0");

  line = g_ptr_array_index (script->lines, 2);
  g_assert_cmpint (line->side, ==, CONFORMANCE_MODEL_ONLY);
  g_assert_cmpstr (line->reason, ==, "vfio_group_fops_open");
  g_assert_cmpuint (line->within, ==, 2000);
  g_assert_cmpstr (line->process, ==, "other");
  g_assert_cmpstr (line->call, ==, "read /sys/a#b");
  alternative = g_ptr_array_index (line->alternatives, 0);
  g_assert_cmpstr (alternative->answer, ==, "/^a # b$/");

  line = g_ptr_array_index (script->lines, 3);
  g_assert_cmpint (line->side, ==, CONFORMANCE_BOTH);
  g_assert_cmpuint (line->line, ==, 14);
  g_assert_cmpstr (line->call, ==, "VFIO_IOMMU_SPAPR_TCE_CREATE group page_shift=12");
  g_assert_cmpuint (line->keeps->len, ==, 2);
  keep = g_ptr_array_index (line->keeps, 0);
  g_assert_cmpstr (keep->field, ==, "start_addr");
  g_assert_cmpstr (keep->variable, ==, "window");
}

/* Every mistake is found before anything is asked, and its line is named. */
static void
test_mistakes (void)
{
  static const struct
  {
    const char *text;
    const char *error;
  } cases[] = {
    { "Title: t\n\nopen /dev/null\n", "no Title, or no Source" },
    { "# c\n\nopen /dev/null\n", "f:3: no header" },
    { "Title: t\nTitle: t\n", "f:2: a second Title" },
    { "Title: t\nSource: s\n\n", "no line" },
    { "Titel: t\n", "f:1: no header is called Titel" },
    { "Title: t\nSource: s\nNeeds: luck\n", "f:3: no condition: luck" },
    { "Title: t\nSource: s\nHost: h.xml\n\nopen /dev/null\n", "a Host, but not Model-only" },
    { HEAD "opne /dev/null\n", "f:4: no call is named opne" },
    { HEAD "repeat 3 opne /dev/null\n", "f:4: no call is named opne" },
    { HEAD "repeat 3\n", "f:4: 1 words after repeat; it takes 2 to 99" },
    { HEAD "KVM_RUN vcpu cut=1\n", "f:4: KVM_RUN has no field cut" },
    { HEAD "open\n", "f:4: 0 words after open" },
    { HEAD "\n\nopen /dev/null -> EWRONG\n", "f:6: nothing is called" },
    { HEAD "open /dev/null -> /(/\n", "f:4: " },
    { HEAD "VFIO_EEH_PE_OP c size=1 -> 0\n", "f:4: VFIO_EEH_PE_OP has no field size" },
    { HEAD "VFIO_EEH_PE_OP\n", "f:4: VFIO_EEH_PE_OP of which handle?" },
    { HEAD "KVM_SET_DEVICE_ATTR x KVM_DEV_XIVE_GRP_EQ_CONFIG 6 shift=1\n", "has no field shift" },
    { HEAD "| powernv -> 0\n", "f:4: no check above" },
    { HEAD "open /dev/null\n | powernv -> 0\n", "f:5: no check above" },
    { HEAD "open /dev/null -> 0\n | power -> 0\n", "f:5: no condition: power" },
    { HEAD "end\n", "f:4: an end of nothing" },
    { HEAD "model-only\n", "f:4: no \"reason\"" },
    { HEAD "model-only \"x\"\nopen /dev/null\n", "no end of the last part" },
    { HEAD "open \"/dev/null\n", "f:4: no closing" },
    { HEAD "within long open /dev/null -> 0\n", "f:4: no time" },
    { HEAD "open /dev/null -> 0 keep x\n", "f:4: no FIELD=NAME" },
    { HEAD "begin opne /dev/null\n", "f:4: no call is named opne" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", cases[i].text);
      g_assert_null (conformance_script_parse ("f", cases[i].text, &error));
      g_assert_nonnull (error);
      g_assert_true (g_str_has_prefix (error->message, "f:"));
      if (g_strstr_len (error->message, -1, cases[i].error) == NULL)
        g_error ("“%s” is not in “%s”", cases[i].error, error->message);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/conformance/values", test_values);
  g_test_add_func ("/conformance/words", test_words);
  g_test_add_func ("/conformance/expect", test_expect);
  g_test_add_func ("/conformance/conditions", test_conditions);
  g_test_add_func ("/conformance/variables", test_variables);
  g_test_add_func ("/conformance/script", test_script);
  g_test_add_func ("/conformance/mistakes", test_mistakes);
  return g_test_run ();
}
