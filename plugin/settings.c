#include "plugin/settings.h"

#include <math.h>

float settings_control(Brume *self, PortIndex port)
{
    bool bad = false;
    const float value = port_value(port, self->ports[port], &bad);
    if (bad)
        status_complain(&self->status, COMPLAINT_CONTROL);
    return value;
}

/* A class that the model has; one beyond its last is the last. */
static size_t read_class(Brume *self, PortIndex port, size_t classes)
{
    const size_t index = (size_t)lroundf(settings_control(self, port));
    return index < classes ? index : classes - 1;
}

TextureSettings settings_read(Brume *self, const SharedModel *model)
{
    const size_t classes =
        model ? texture_model_config(shared_model_texture(model))->denoiser.classes : 1;
    TextureSettings settings = texture_settings_default();
    const float morph = settings_control(self, PORT_MORPH);
    const size_t from = read_class(self, PORT_TEXTURE, classes);
    const size_t to = read_class(self, PORT_MORPH_TO, classes);
    settings.mix[0] = 0.0f;
    settings.mix[from] = 1.0f - morph;
    settings.mix[to] += morph;
    settings.seed = (uint64_t)lroundf(settings_control(self, PORT_SEED)) + self->voice.note;
    settings.steps = (int)lroundf(settings_control(self, PORT_STEPS));
    settings.width = settings_control(self, PORT_WIDTH);
    return settings;
}
