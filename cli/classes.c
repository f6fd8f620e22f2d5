#include "cli/classes.h"

#include <stdlib.h>
#include <string.h>

int classes_parse(const char *text, const TextureModel *model, float *mix, Error *err)
{
    char copy[1024];
    if (strlen(text) >= sizeof copy)
        return error_set(err, "--class is too long");
    strcpy(copy, text);
    memset(mix, 0, TEXTURE_MAX_CLASSES * sizeof *mix);
    char *rest = copy;
    for (char *word = strsep(&rest, ","); word; word = strsep(&rest, ",")) {
        double weight = 1.0;
        char *colon = strchr(word, ':');
        if (colon) {
            char *end;
            *colon = '\0';
            weight = strtod(colon + 1, &end);
            if (end == colon + 1 || *end || !(weight >= 0.0 && weight <= 1e6))
                return error_set(err,
                                 "--class %.60s: \"%.60s\" is no weight: give a number from 0 "
                                 "to 1e6",
                                 word, colon + 1);
        }
        const int index = texture_model_class(model, word, err);
        if (index < 0)
            return -1;
        mix[index] += (float)weight;
    }
    return 0;
}
