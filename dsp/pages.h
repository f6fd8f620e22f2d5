/* Memory for large tables. */
#ifndef BRUME_DSP_PAGES_H
#define BRUME_DSP_PAGES_H

#include <stddef.h>

/* As calloc, in whole pages of its own; but what is large lies on huge pages where the system has
 * them for those who ask: the first touch of each 4 KiB page may cost more than reading its share
 * of a model from a file, small pages are missed in the processor's translation cache with every
 * pass over a model, and in a virtual machine a page that the audio thread comes to for the first
 * time may cost it 30 us. Any thread but the audio thread. */
void *pages_alloc(size_t count, size_t size);

/* Brings in the whole pages within these bytes, whose values stay, so that a thread that must not
 * wait does not wait for the kernel at its first pass. All at once, which costs far less than one
 * by one. Any thread but the audio thread. */
void pages_touch(void *memory, size_t bytes);

/* Gives back what pages_alloc gave for the same numbers; or NULL. */
void pages_free(void *memory, size_t count, size_t size);

#endif
