/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-domain.h"
#include "hostdev/hostdev-memory-limit.h"

#define KIB       G_GUINT64_CONSTANT (1024)
#define GIB       (KIB * KIB) /* in KiB */
#define UNLIMITED G_MAXUINT64

/*
 * The limits that libvirt's own test asserts for pSeries guests under KVM (tests/qemumemlocktest.c,
 * the same in 9.0 and 11.3: pseries-kvm, pseries-hostdev and so on), and what a libvirt 11.3 set
 * for a guest of 1 GiB and three PHBs on an emulated POWER9 host. The rest follows from the
 * formula, worked out by hand.
 */
static const struct
{
  const char *name;
  HostdevMemory memory;
  guint phbs;
  gboolean vfio;
  guint64 limit; /* bytes */
} cases[] = {
  { "pseries-kvm", { .memory = GIB }, 1, FALSE, 20971520 },
  { "pseries-hardlimit", { .memory = GIB, .hard_limit = 2 * GIB }, 1, FALSE, 2147483648 },
  { "pseries-locked", { .memory = GIB, .locked = TRUE }, 1, FALSE, UNLIMITED },
  { "pseries-hostdev", { .memory = GIB }, 2, TRUE, 4320133120 },
  { "pseries-hardlimit+locked",
    { .memory = GIB, .hard_limit = 2 * GIB, .locked = TRUE },
    1,
    FALSE,
    2147483648 },
  { "pseries-hardlimit+hostdev", { .memory = GIB, .hard_limit = 2 * GIB }, 2, TRUE, 2147483648 },
  { "pseries-hardlimit+locked+hostdev",
    { .memory = GIB, .hard_limit = 2 * GIB, .locked = TRUE },
    2,
    TRUE,
    2147483648 },
  { "pseries-locked+hostdev", { .memory = GIB, .locked = TRUE }, 2, TRUE, UNLIMITED },
  { "observed, 1 GiB and three PHBs", { .memory = GIB }, 3, TRUE, 6471811072 },
  /* 16 GiB, of up to 64: 512 MiB of page table + 4 + 8, and 16384 + 32 + 8 MiB */
  { "maxMemory", { .memory = 16 * GIB, .max_memory = 64 * GIB }, 1, TRUE, 16948 * KIB *KIB },
  /* the same without the device */
  { "maxMemory, no device",
    { .memory = 16 * GIB, .max_memory = 64 * GIB },
    1,
    FALSE,
    524 * KIB *KIB },
};

static void
test_libvirt (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_test_message ("%s", cases[i].name);
      g_assert_cmpuint (hostdev_memory_limit (&cases[i].memory, cases[i].phbs, cases[i].vfio), ==,
                        cases[i].limit);
    }
}

/* What the guest would have without its hard limit. */
static void
test_formula (void)
{
  HostdevMemory memory = { .memory = GIB, .hard_limit = 1, .locked = TRUE };

  g_assert_cmpuint (hostdev_memory_formula (&memory, 2, TRUE), ==, 4320133120);
}

static HostdevDomain *
read_domain (const char *content, GError **error)
{
  g_autofree char *xml
      = g_strdup_printf ("<domain type='kvm'><name>guest</name>%s</domain>", content);

  return hostdev_domain_new_from_xml (xml, -1, error);
}

static void
test_read (void)
{
  static const struct
  {
    const char *content;
    HostdevMemory memory;
  } texts[] = {
    { "", { .memory = 0 } },
    { "<memory>1048576</memory>", { .memory = GIB } },
    { "<memory unit='KiB'> 1048576 </memory>", { .memory = GIB } },
    { "<memory unit='k'>1</memory>", { .memory = 1 } },
    { "<memory unit='G'>16</memory><maxMemory slots='4' unit='GiB'>64</maxMemory>",
      { .memory = 16 * GIB, .max_memory = 64 * GIB } },
    { "<memory unit='TiB'>2</memory>", { .memory = 2 * KIB * GIB } },
    { "<memory unit='bytes'>1025</memory>", { .memory = 2 } },
    { "<memory unit='MB'>1</memory>", { .memory = 977 } },
    { "<memtune><hard_limit unit='GiB'>2</hard_limit></memtune>", { .hard_limit = 2 * GIB } },
    /* libvirt's word for none */
    { "<memtune><hard_limit>9007199254740991</hard_limit></memtune>", { .hard_limit = 0 } },
    { "<memoryBacking><locked/><hugepages/></memoryBacking>",
      { .locked = TRUE, .hugepages = TRUE } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (HostdevDomain) domain = read_domain (texts[i].content, &error);
      const HostdevMemory *memory;

      g_test_message ("%s", texts[i].content);
      g_assert_no_error (error);
      memory = hostdev_domain_get_memory (domain);
      g_assert_cmpuint (memory->memory, ==, texts[i].memory.memory);
      g_assert_cmpuint (memory->max_memory, ==, texts[i].memory.max_memory);
      g_assert_cmpuint (memory->hard_limit, ==, texts[i].memory.hard_limit);
      g_assert_cmpint (memory->locked, ==, texts[i].memory.locked);
      g_assert_cmpint (memory->hugepages, ==, texts[i].memory.hugepages);
    }
}

static void
test_broken (void)
{
  static const char *const texts[] = {
    "<memory>much</memory>",
    "<memory>-1</memory>",
    "<memory unit='XiB'>1</memory>",
    "<memory unit=''>1</memory>",
    "<memory unit='KiBs'>1</memory>",
    "<memory unit='EiB'>9</memory>",
    "<memory>99999999999999999999</memory>",
    "<maxMemory>x</maxMemory>",
    "<memtune><hard_limit>1 GiB</hard_limit></memtune>",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (HostdevDomain) domain = read_domain (texts[i], &error);

      g_test_message ("%s", texts[i]);
      g_assert_null (domain);
      g_assert_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_DOMAIN);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hostdev/memory-limit/libvirt", test_libvirt);
  g_test_add_func ("/hostdev/memory-limit/formula", test_formula);
  g_test_add_func ("/hostdev/memory-limit/read", test_read);
  g_test_add_func ("/hostdev/memory-limit/broken", test_broken);
  return g_test_run ();
}
