/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance-expect.h"

#include <string.h>

#include "common/common-error.h"
#include "conformance-value.h"

typedef enum
{
  ANSWER_ANY,
  ANSWER_HANDLE,
  ANSWER_PENDING,
  ANSWER_SIGBUS,
  ANSWER_NUMBER /* a negative errno too */
} AnswerKind;

typedef struct
{
  AnswerKind kind;
  gint64 number;
} Answer;

typedef struct
{
  char *name;
  char *operation; /* "=", "!=", ">=", "<=" */
  char *value;
} Field;

struct _ConformanceExpect
{
  GArray *answers;   /* elements Answer; none: any that is no errno */
  GPtrArray *fields; /* elements Field */
  char *text;        /* what the text is; NULL */
  GRegex *regex;     /* what it is like; NULL */
  gboolean unlike;   /* what it is not like */
};

static void
field_free (gpointer data)
{
  Field *field = data;

  g_free (field->name);
  g_free (field->operation);
  g_free (field->value);
  g_free (field);
}

void
conformance_expect_free (ConformanceExpect *expect)
{
  g_array_unref (expect->answers);
  g_ptr_array_unref (expect->fields);
  g_free (expect->text);
  g_clear_pointer (&expect->regex, g_regex_unref);
  g_free (expect);
}

static gboolean
add_answer (ConformanceExpect *expect, const char *word, GError **error)
{
  static const char *const kinds[] = { "any", "handle", "pending", "SIGBUS" };
  Answer answer = { ANSWER_NUMBER, 0 };
  guint64 value;

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_str_equal (word, kinds[i]))
      answer.kind = (AnswerKind) i;
  if (answer.kind == ANSWER_NUMBER)
    {
      answer.number = -conformance_errno (word);
      if (answer.number == 0)
        {
          if (!conformance_value (word, NULL, NULL, NULL, NULL, &value, error))
            return FALSE;
          answer.number = (gint64) value;
        }
    }
  g_array_append_val (expect->answers, answer);
  return TRUE;
}

static gboolean
add_field (ConformanceExpect *expect, const char *word, GError **error)
{
  const char *equals = strchr (word, '=');
  const char *end = equals;
  Field *field;

  if (end > word && strchr ("!<>", end[-1]) != NULL)
    end--;
  if (end == word || equals[1] == '\0')
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT, "no FIELD=VALUE: %s", word);
      return FALSE;
    }
  field = g_new0 (Field, 1);
  field->name = g_strndup (word, (gsize) (end - word));
  field->operation = g_strndup (end, (gsize) (equals + 1 - end));
  field->value = g_strdup (equals + 1);
  g_ptr_array_add (expect->fields, field);
  return TRUE;
}

/* "…", /…/ or !/…/, to the end. */
static gboolean
set_text (ConformanceExpect *expect, const char *text, GError **error)
{
  g_autofree char *pattern = NULL;

  if (*text == '"')
    {
      g_autoptr (GPtrArray) words = conformance_words (text, error);

      if (words == NULL)
        return FALSE;
      if (words->len == 1)
        {
          expect->text = g_ptr_array_steal_index (words, 0);
          return TRUE;
        }
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT, "words after a text: %s",
                   text);
      return FALSE;
    }
  expect->unlike = *text == '!';
  text += expect->unlike ? 2 : 1;
  if (!g_str_has_suffix (text, "/"))
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT, "no closing /: %s", text);
      return FALSE;
    }
  pattern = g_strndup (text, strlen (text) - 1);
  expect->regex = g_regex_new (pattern, G_REGEX_MULTILINE, 0, error);
  return expect->regex != NULL;
}

ConformanceExpect *
conformance_expect_new (const char *text, GError **error)
{
  g_autoptr (ConformanceExpect) expect = g_new0 (ConformanceExpect, 1);
  gboolean more = TRUE; /* another answer may come */

  expect->answers = g_array_new (FALSE, FALSE, sizeof (Answer));
  expect->fields = g_ptr_array_new_with_free_func (field_free);
  for (;;)
    {
      g_autofree char *word = NULL;
      gsize length;

      text += strspn (text, " \t");
      if (*text == '\0')
        break;
      if (*text == '"' || *text == '/' || g_str_has_prefix (text, "!/"))
        return set_text (expect, text, error) ? g_steal_pointer (&expect) : NULL;
      length = strcspn (text, " \t");
      word = g_strndup (text, length);
      text += length;
      if (g_str_equal (word, "or") && expect->answers->len > 0 && !more)
        more = TRUE;
      else if (strchr (word, '=') != NULL)
        {
          if (!add_field (expect, word, error))
            return NULL;
          more = FALSE;
        }
      else if (!more || !add_answer (expect, word, error))
        {
          if (error != NULL && *error == NULL)
            g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                         "\"%s\" after an answer", word);
          return NULL;
        }
      else
        more = FALSE;
    }
  if (more)
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                   "no answer after the arrow, or after \"or\"");
      return NULL;
    }
  return g_steal_pointer (&expect);
}

static gboolean
answer_matches (const Answer *answer, const ConformanceReply *reply)
{
  switch (answer->kind)
    {
    case ANSWER_ANY:
      return TRUE;
    case ANSWER_HANDLE:
      return reply->kind == CONFORMANCE_HANDLE && reply->answer >= 0;
    case ANSWER_PENDING:
      return reply->kind == CONFORMANCE_PENDING;
    case ANSWER_SIGBUS:
      return reply->kind == CONFORMANCE_SIGBUS;
    case ANSWER_NUMBER:
      return answer->number < 0
                 ? reply->kind <= CONFORMANCE_HANDLE && reply->answer == answer->number
                 : reply->kind == CONFORMANCE_VALUE && reply->answer == answer->number;
    default:
      return FALSE;
    }
}

static gboolean
answers_match (const ConformanceExpect *expect, const ConformanceReply *reply)
{
  if (expect->answers->len == 0)
    return !conformance_reply_failed (reply);
  for (guint i = 0; i < expect->answers->len; i++)
    if (answer_matches (&g_array_index (expect->answers, Answer, i), reply))
      return TRUE;
  return FALSE;
}

static gboolean
compare (const char *operation, gint order)
{
  switch (*operation)
    {
    case '!':
      return order != 0;
    case '>':
      return order >= 0;
    case '<':
      return order <= 0;
    default:
      return order == 0;
    }
}

/* @difference: what it is instead, if it does not match. */
static gboolean
field_matches (const Field *field, const ConformanceReply *reply, char **difference)
{
  const ConformanceFieldValue *found = conformance_reply_field (reply, field->name);
  g_autoptr (GError) error = NULL;
  guint64 value;

  if (found == NULL)
    *difference = g_strdup_printf ("no field %s", field->name);
  else if (found->text != NULL)
    {
      if (compare (field->operation, g_strcmp0 (found->text, field->value)))
        return TRUE;
      *difference = g_strdup_printf ("%s=%s", field->name, found->text);
    }
  else if (!conformance_value (field->value, found->prefix, found->suffix, NULL, NULL, &value,
                               &error))
    *difference = g_strdup (error->message);
  else
    {
      if (compare (field->operation, found->number == value ? 0 : found->number > value ? 1 : -1))
        return TRUE;
      *difference = g_strdup_printf (found->number < 1024 ? "%s=%" G_GUINT64_FORMAT
                                                          : "%s=0x%" G_GINT64_MODIFIER "x",
                                     field->name, found->number);
    }
  return FALSE;
}

static gboolean
text_matches (const ConformanceExpect *expect, const ConformanceReply *reply)
{
  if (expect->text == NULL && expect->regex == NULL)
    return TRUE;
  if (reply->text == NULL || conformance_reply_failed (reply))
    return FALSE;
  if (expect->text != NULL)
    {
      gsize length = strlen (reply->text);

      if (length > 0 && reply->text[length - 1] == '\n' && !g_str_has_suffix (expect->text, "\n"))
        length--;
      return strlen (expect->text) == length && strncmp (expect->text, reply->text, length) == 0;
    }
  return g_regex_match (expect->regex, reply->text, 0, NULL) != expect->unlike;
}

gboolean
conformance_expect_matches (const ConformanceExpect *expect, const ConformanceReply *reply,
                            char **got)
{
  *got = NULL;
  if (reply->kind == CONFORMANCE_MISTAKE || !answers_match (expect, reply)
      || !text_matches (expect, reply))
    {
      *got = conformance_reply_describe (reply);
      return FALSE;
    }
  for (guint i = 0; i < expect->fields->len; i++)
    if (!field_matches (g_ptr_array_index (expect->fields, i), reply, got))
      return FALSE;
  return TRUE;
}
