/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-function.h"

/**
 * KvmHelperCards: which functions are on one card: the audio and USB of a graphics adapter, the
 * other ports of a network card. They are companions also where they are in other IOMMU groups and
 * stay with the host: who gives one of them to a guest wants to know, since a reset of the slot
 * resets them all, and so does who pulls the card.
 *
 * A card is what sits in one slot, as the kernel knows it (/sys/bus/pci/slots/NAME/address, of the
 * innermost slot above the function: a card may have a switch of its own), else what has one
 * device number. VFs are no companions: they come and go with their PF.
 */
typedef struct _KvmHelperCards KvmHelperCards;

/** kvmhelper_cards_new: @functions (elements KvmHelperFunction) are those of the host, and outlive
 * it. */
KvmHelperCards *kvmhelper_cards_new (const KvmHelperKernel *kernel, const GPtrArray *functions);
void kvmhelper_cards_free (KvmHelperCards *cards);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperCards, kvmhelper_cards_free)

/** kvmhelper_cards_companions: the other endpoints of @function's card, by address; elements
 * KvmHelperFunction, not owned. */
GPtrArray *
kvmhelper_cards_companions (const KvmHelperCards *cards, const KvmHelperFunction *function);
