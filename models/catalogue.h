/* Where models lie on this computer, and which there are. A model's NAME is its file's name without
 * ".safetensors". The folders, first to last:
 *   each of $BRUME_MODELS (separated by colons),
 *   $XDG_DATA_HOME/brume/models (~/.local/share/brume/models if that is not set),
 *   models/ in the plugin's bundle, if one is given,
 *   BRUME_DATADIR/models, if the program was compiled with that,
 *   ../models/weights and ../share/brume/models, seen from the running program's folder.
 * The functions read the environment and the file system: any thread but the audio thread. */
#ifndef BRUME_MODELS_CATALOGUE_H
#define BRUME_MODELS_CATALOGUE_H

#include "dsp/error.h"

#include <stddef.h>

/* Receives one model; the strings live until it returns. */
typedef void (*CatalogueVisit)(void *user, const char *name, const char *path);

/* Receives one folder, which need not be there; the string lives until it returns. */
typedef void (*CatalogueFolder)(void *user, const char *folder);

/* Calls visit(user, folder) for each of the folders above, first to last. */
void catalogue_folders(const char *bundle, CatalogueFolder visit, void *user);

/* Finds a model's file. A string with a '/' in it or with ".safetensors" at its end is a path,
 * which must exist; any other is a NAME, searched in the folders. `bundle` is the plugin's bundle
 * folder or NULL. Writes the terminated path into `path`, which has `room` bytes. Returns 0; -1
 * with `err` set (naming the models that there are, if it was a NAME) and `path` unchanged. */
int catalogue_locate(const char *name_or_path, const char *bundle, char *path, size_t room,
                     Error *err);

/* Calls visit(user, name, path) for every NAME, sorted by name, once: the file that
 * catalogue_locate finds. Folders that are absent or may not be read are passed over. Returns 0; -1
 * with `err` set, and nothing visited, if memory is short. */
int catalogue_each(const char *bundle, CatalogueVisit visit, void *user, Error *err);

#endif
