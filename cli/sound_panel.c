#include "cli/sound_panel.h"

#include <math.h>

int sound_panel_draw(Picture *picture, size_t index, const SoundPanel *panel,
                     const PanelWatch *watch, Error *err)
{
    const size_t room = picture_columns(picture);
    const double each = panel->labels.seconds * panel->rate / (double)room;
    size_t columns = (size_t)ceil((double)panel->frames / each - 1e-6);
    columns = columns < 1 ? 1 : columns > room ? room : columns;
    Spectrogram *spectrogram = spectrogram_create(columns, picture_rows(picture), panel->rate, err);
    if (spectrogram == NULL)
        return -1;
    for (size_t column = 0; column < columns; column++) {
        if (watch->cancel != NULL && atomic_load(watch->cancel)) {
            spectrogram_destroy(spectrogram);
            return error_set(err, "interrupted: nothing was written");
        }
        spectrogram_measure(spectrogram, column, panel->mono, panel->frames, (double)column * each,
                            (double)(column + 1) * each);
        const double share = (double)column / (double)columns;
        progress_update(watch->progress, watch->first + watch->part * share, "%s",
                        panel->labels.title);
    }
    picture_draw(picture, index, spectrogram, &panel->labels);
    spectrogram_destroy(spectrogram);
    return 0;
}
