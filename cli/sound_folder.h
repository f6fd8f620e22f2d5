/* A folder of recordings, read into a corpus: a folder inside it is a class, and sounds that lie in
 * it directly are a class of its own name. */
#ifndef BRUME_CLI_SOUND_FOLDER_H
#define BRUME_CLI_SOUND_FOLDER_H

#include "cli/options.h"
#include "dsp/error.h"
#include "models/corpus.h"
#include "models/texture_model.h"

/* A file that was used, or a part of one that was cut (cli/sound_stream.h). */
typedef struct FolderFile {
    char *path, *recording; /* as the corpus knows it */
    size_t part, class_index;
    double seconds;
} FolderFile;

/* What was found. */
typedef struct FolderReport {
    size_t used, skipped; /* files */
    double seconds;       /* of sound, a stereo recording counted once */
    FolderFile *files;    /* (file_count,), in the order of their takes */
    size_t file_count;    /* each part counts */
} FolderReport;

/* What is told while a folder is read: nothing (by all but the first of several processes), what is
 * wrong with its files, or progress too. */
typedef enum FolderVoice { FOLDER_SILENT, FOLDER_WARNS, FOLDER_TELLS } FolderVoice;

/* A class of less sound than this gets variants: of each recording a few copies, a little higher or
 * lower (and faster or slower), louder or softer. */
#define SOUND_FOLDER_LITTLE 180.0 /* seconds */

/* Reads each file in `folder` (of the classes in `only`, unless that is empty), resamples it to the
 * rate of `config`, takes each of its first two channels that differ as a take, analyses it in
 * `bands` and adds it to `corpus`, and of little sound variants too. What cannot be used is skipped
 * with a warning on standard error, one line a file; so is what can be used but had better be
 * mended (cli/sound_check.h). -1 when the folder can't be read, a class of `only` is not there,
 * nothing usable is left, or somebody interrupts. *report is to be
 * freed with folder_report_free, also after a failure. Main thread. */
int sound_folder_read(const char *folder, const StringList *only, const TextureConfig *config,
                      const Bands *bands, Corpus *corpus, FolderVoice voice, FolderReport *report,
                      Error *err);

void folder_report_free(FolderReport *report);

/* Adds one file to a class of `corpus`, as sound_folder_read does. -1 with the reason. */
int sound_file_read(const char *path, const char *class_name, const TextureConfig *config,
                    const Bands *bands, Corpus *corpus, Error *err);

#endif
