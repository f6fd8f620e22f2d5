/* A sound file: our side of libsndfile. What is read is finite and of the size that is told. */
#include "tests/fuzz/fuzz.h"

#include "cli/soundfile.h"
#include "tests/fuzz/memory_file.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    Sound sound;
    Error err = {""};
    if (soundfile_load(memory_file(bytes, size), 60.0, &sound, &err)) {
        if (sound.samples || !err.message[0])
            abort();
        return 0;
    }
    if (!sound.frames || !sound.channels || sound.frames > (size_t)sound.rate * 60)
        abort();
    for (size_t i = 0; i < sound.frames * sound.channels; i++)
        if (!isfinite(sound.samples[i]))
            abort();
    sound_free(&sound);
    return 0;
}
