/* Memory for large tables. */
#ifndef BRUME_DSP_PAGES_H
#define BRUME_DSP_PAGES_H

#include <stddef.h>

/* As calloc; but what is large lies on huge pages where the system has them for those who ask: the
 * first touch of each 4 KiB page may cost more than reading its share of a model from a file, and
 * small pages are missed in the processor's translation cache with every pass over a model. Any
 * thread. */
void *pages_alloc(size_t count, size_t size);

/* Gives back what pages_alloc gave for the same numbers; or NULL. */
void pages_free(void *memory, size_t count, size_t size);

#endif
