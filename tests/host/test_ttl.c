/* The plugin's description against the code: the ports and their ranges, and the presets. */
#include "plugin/ports.h"
#include "tests/host/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <lv2/atom/atom.h>
#include <lv2/core/lv2.h>
#include <lv2/patch/patch.h>
#include <lv2/port-props/port-props.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RDFS_COMMENT "http://www.w3.org/2000/01/rdf-schema#comment"

/* Symbols of the ports that are no controls. */
static const char *const others[] = {
    [PORT_IN_L] = "in_l",   [PORT_IN_R] = "in_r",       [PORT_OUT_L] = "out_l",
    [PORT_OUT_R] = "out_r", [PORT_CONTROL] = "control", [PORT_NOTIFY] = "notify",
    [PORT_KEYS] = "keys"};

static void test_ports_are_the_enum(void **state)
{
    (void)state;
    Host *host = host_open(host_shipped_bundle(), 48000, (HostKind){0});
    const LilvPlugin *plugin = host_plugin(host);
    assert_int_equal(lilv_plugin_get_num_ports(plugin), PORT_COUNT);
    for (uint32_t i = 0; i < PORT_COUNT; i++) {
        const PortRange *range = port_range((PortIndex)i);
        const LilvPort *port = lilv_plugin_get_port_by_index(plugin, i);
        const char *symbol = lilv_node_as_string(lilv_port_get_symbol(plugin, port));
        assert_string_equal(symbol, range ? range->symbol : others[i]);
    }
    host_close(host);
}

static void test_ranges_are_the_code_s(void **state)
{
    (void)state;
    float low[PORT_COUNT], high[PORT_COUNT], usual[PORT_COUNT];
    Host *host = host_open(host_shipped_bundle(), 48000, (HostKind){0});
    lilv_plugin_get_port_ranges_float(host_plugin(host), low, high, usual);
    for (uint32_t i = PORT_TEXTURE; i < PORT_COUNT; i++) {
        const PortRange *range = port_range((PortIndex)i);
        if (!range)
            continue;
        assert_float_equal(low[i], range->minimum, 0);
        if (i == PORT_TEXTURE || i == PORT_MORPH_TO) {
            /* As many as the shipped model has; the code holds any model's. */
            assert_true(high[i] >= 1 && high[i] <= range->maximum);
            assert_true(usual[i] >= 0 && usual[i] <= high[i]);
            continue;
        }
        assert_float_equal(high[i], range->maximum, 0);
        assert_float_equal(usual[i], range->usual, 0);
    }
    host_close(host);
}

static void test_every_port_says_what_it_is(void **state)
{
    (void)state;
    Host *host = host_open(host_shipped_bundle(), 48000, (HostKind){0});
    const LilvPlugin *plugin = host_plugin(host);
    LilvNode *comment = lilv_new_uri(host_world(host), RDFS_COMMENT);
    LilvNode *enumeration = lilv_new_uri(host_world(host), LV2_CORE__enumeration);
    for (uint32_t i = 0; i < PORT_COUNT; i++) {
        const LilvPort *port = lilv_plugin_get_port_by_index(plugin, i);
        LilvNode *text = lilv_port_get(plugin, port, comment);
        assert_non_null(text);
        lilv_node_free(text);
        if (lilv_port_has_property(plugin, port, enumeration)) {
            float high[PORT_COUNT];
            LilvScalePoints *points = lilv_port_get_scale_points(plugin, port);
            lilv_plugin_get_port_ranges_float(plugin, NULL, high, NULL);
            assert_int_equal(lilv_scale_points_size(points), (int)high[i] + 1);
            lilv_scale_points_free(points);
        }
    }
    lilv_node_free(comment);
    lilv_node_free(enumeration);
    host_close(host);
}

/* Hosts show a file dialog for each parameter that is writable and a path. */
static void test_models_are_file_dialogs(void **state)
{
    (void)state;
    static const char *const names[] = {"urn:brume:brume#model", "urn:brume:brume#melody"};
    Host *host = host_open(host_shipped_bundle(), 48000, (HostKind){0});
    LilvWorld *world = host_world(host);
    const LilvNode *plugin = lilv_plugin_get_uri(host_plugin(host));
    LilvNode *range = lilv_new_uri(world, LILV_NS_RDFS "range");
    LilvNode *label = lilv_new_uri(world, LILV_NS_RDFS "label");
    LilvNode *path = lilv_new_uri(world, LV2_ATOM__Path);
    for (size_t way = 0; way < 2; way++) {
        LilvNode *list = lilv_new_uri(world, way ? LV2_PATCH__readable : LV2_PATCH__writable);
        for (size_t i = 0; i < 2; i++) {
            LilvNode *name = lilv_new_uri(world, names[i]);
            assert_true(lilv_world_ask(world, plugin, list, name));
            assert_true(lilv_world_ask(world, name, range, path));
            assert_true(lilv_world_ask(world, name, label, NULL));
            lilv_node_free(name);
        }
        lilv_node_free(list);
    }
    lilv_node_free(path);
    lilv_node_free(label);
    lilv_node_free(range);
    host_close(host);
}

static void count_value(const char *symbol, void *user, const void *value, uint32_t size,
                        uint32_t type)
{
    (void)value;
    (void)size;
    (void)type;
    bool *seen = user;
    for (uint32_t i = 0; i < PORT_COUNT; i++) {
        const PortRange *range = port_range((PortIndex)i);
        if (range && !strcmp(range->symbol, symbol))
            seen[i] = true;
    }
}

static void test_presets_set_every_control(void **state)
{
    (void)state;
    enum { ROOM = 64 };
    LilvNode *uris[ROOM];
    Host *host = host_open(host_shipped_bundle(), 48000, (HostKind){0});
    const size_t count = host_presets(host, uris, ROOM);
    assert_true(count >= 8);
    for (size_t k = 0; k < count; k++) {
        LilvState *preset = host_preset(host, uris[k]);
        assert_non_null(preset);
        assert_non_null(lilv_state_get_label(preset));
        bool seen[PORT_COUNT] = {false};
        lilv_state_emit_port_values(preset, count_value, seen);
        for (uint32_t i = PORT_TEXTURE; i <= PORT_WET; i++)
            assert_true(seen[i]);
        for (uint32_t i = PORT_MODE; i <= PORT_ANSWER; i++)
            assert_true(seen[i]);
        /* Bypass and freewheel are the host's. */
        assert_false(seen[PORT_ENABLED] || seen[PORT_FREEWHEEL]);
        lilv_state_free(preset);
        lilv_node_free(uris[k]);
    }
    host_close(host);
}

static void test_presets_play(void **state)
{
    (void)state;
    enum { ROOM = 64, FRAMES = 24000 };
    LilvNode *uris[ROOM];
    float *sound = malloc(2 * FRAMES * sizeof *sound);
    Host *host = host_open(host_tiny_bundle(), 48000, (HostKind){0});
    const size_t count = host_presets(host, uris, ROOM);
    host_activate(host);
    for (size_t k = 0; k < count; k++) {
        LilvState *preset = host_preset(host, uris[k]);
        host_restore_preset(host, preset);
        host_set(host, "freewheel", 0);
        host_run(host, 64);
        host_export(host, sound, FRAMES, 1024);
        double energy = 0;
        for (size_t i = 0; i < 2 * FRAMES; i++)
            energy += (double)sound[i] * (double)sound[i];
        /* Those that answer a melody have heard none. */
        const bool answers = host_get(host, "mode") > 0.5F;
        assert_true(isfinite(energy) && (energy > 0) != answers);
        lilv_state_free(preset);
        lilv_node_free(uris[k]);
    }
    host_close(host);
    free(sound);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ports_are_the_enum),
        cmocka_unit_test(test_ranges_are_the_code_s),
        cmocka_unit_test(test_every_port_says_what_it_is),
        cmocka_unit_test(test_models_are_file_dialogs),
        cmocka_unit_test(test_presets_set_every_control),
        cmocka_unit_test(test_presets_play),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
