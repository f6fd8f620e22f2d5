/* The safetensors reader and writer. With BUILD set, the files made here stay in
 * BUILD/tests/format, for tests/format/test_safetensors.sh to try on a reader that shares no code
 * with this one. */
#include "models/safetensors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define T(dtype, shape, offsets)                                                                   \
    "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"
#define PAIR(name1, shape1, offsets1, name2, shape2, offsets2)                                     \
    "{\"" name1 "\":" T("F32", shape1, offsets1) ",\"" name2 "\":" T("F32", shape2, offsets2) "}"
#define W(shape, offsets) "{\"w\":" T("F32", shape, offsets) "}"

static char folder[PATH_MAX]; /* for this run */
static char kept[PATH_MAX];   /* for the script, or the same */
static char bad[PATH_MAX];    /* for what every reader must refuse */

static const char *path_in(const char *where, const char *name)
{
    static char path[2 * PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", where, name);
    return path;
}

static size_t folder_count(const char *path)
{
    DIR *dir = opendir(path);
    assert_non_null(dir);
    size_t n = 0;
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 2;
}

static void folder_clear(const char *path)
{
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
        unlink(path_in(path, entry->d_name));
    closedir(dir);
}

static int folders_make(void **state)
{
    (void)state;
    const char *build = getenv("BUILD");
    strcpy(folder, "/tmp/brume-safetensors-XXXXXX");
    assert_non_null(mkdtemp(folder));
    strcpy(kept, folder);
    strcpy(bad, folder);
    if (build) {
        snprintf(kept, sizeof kept, "%.3000s/tests/format", build);
        snprintf(bad, sizeof bad, "%.3000s/tests/format/bad", build);
        char command[2 * PATH_MAX];
        snprintf(command, sizeof command, "mkdir -p '%s'", bad);
        assert_int_equal(system(command), 0);
        folder_clear(bad);
    }
    return 0;
}

static int folders_remove(void **state)
{
    (void)state;
    folder_clear(folder);
    return rmdir(folder);
}

static const char *file_put(const char *path, uint64_t length, const void *header, size_t size,
                            const void *data, size_t data_size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (int i = 0; i < 8; i++)
        assert_int_not_equal(fputc((int)(length >> 8 * i) & 255, file), EOF);
    assert_int_equal(fwrite(header, 1, size, file), size);
    assert_int_equal(fwrite(data, 1, data_size, file), data_size);
    assert_int_equal(fclose(file), 0);
    return path;
}

/* A file with the right length before its header and zeros for data. */
static const char *zeros_put(const char *path, const char *header, size_t data_size)
{
    static const unsigned char zeros[64];
    return file_put(path, strlen(header), header, strlen(header), zeros, data_size);
}

static void message_check(const Error *err, const char *path, const char *expected)
{
    if (!strstr(err->message, expected) || !strstr(err->message, path))
        fail_msg("'%s' where '%s' was expected", err->message, expected);
}

static void refused(const char *path, const char *expected)
{
    Error err = {""};
    assert_null(safetensors_open(path, &err));
    message_check(&err, path, expected);
    assert_non_null(strstr(err.message, "; ")); /* the mend */
    assert_null(strchr(err.message, '\n'));
    assert_null(safetensors_open(path, NULL));
}

static Safetensors *opened(const char *path)
{
    Error err = {""};
    Safetensors *file = safetensors_open(path, &err);
    if (!file)
        fail_msg("%s", err.message);
    return file;
}

static const struct {
    const char *name, *header;
    size_t data_size;
    const char *expected;
} malformed[] = {
    {"not_json", "{w}", 0, "not right JSON"},
    {"list", "[1]", 0, "begin with '{'"},
    {"space_first", " {}", 0, "begin with '{'"},
    {"header_cut", "{\"w\":", 0, "end with '}'"},
    {"newline_last", "{}\n", 0, "end with '}'"},
    {"text_last", "{} x", 0, "end with '}'"},
    {"two_objects", "{}{}", 0, "not right JSON"},
    {"not_utf8", "{\"\xff\":" T("F32", "[1]", "[0,4]") "}", 4, "not right JSON"},
    {"name_twice", PAIR("w", "[1]", "[0,4]", "w", "[1]", "[4,8]"), 8, "duplicate"},
    {"name_escaped", PAIR("w", "[1]", "[0,4]", "\\u0077", "[1]", "[4,8]"), 8, "duplicate"},
    {"dtype_twice", "{\"w\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", 0, "duplicate"},
    {"metadata_twice", "{\"__metadata__\":{},\"__metadata__\":{}}", 0, "duplicate"},
    {"overlap", PAIR("v", "[2]", "[0,8]", "w", "[2]", "[4,12]"), 12, "'w': begins at byte 4, over"},
    {"same_bytes", PAIR("v", "[2]", "[0,8]", "w", "[2]", "[0,8]"), 8, "overlapping"},
    {"inside", PAIR("v", "[3]", "[0,12]", "w", "[1]", "[4,8]"), 12, "'w': begins at byte 4, over"},
    {"hole", PAIR("w", "[1]", "[8,12]", "v", "[1]", "[0,4]"), 12, "'w': begins at byte 8, after"},
    {"hole_first", W("[1]", "[4,8]"), 8, "'w': begins at byte 4, after a hole"},
    {"out_of_range", W("[2]", "[0,8]"), 4, "'w': lies at 0..8, but the data has 4"},
    {"reversed", W("[1]", "[4,0]"), 4, "'w': has reversed offsets"},
    {"left_over", W("[1]", "[0,4]"), 5, "1 bytes are left over"},
    {"left_over_alone", "{}", 1, "1 bytes are left over"},
    {"shape_small", W("[1]", "[0,8]"), 8, "'w': has 8 bytes, which its shape [1]"},
    {"shape_large", W("[3,1]", "[0,8]"), 8, "'w': has 8 bytes, which its shape [3, 1]"},
    {"shape_zero", W("[0,2]", "[0,8]"), 8, "'w': has 8 bytes"},
    {"scalar_large", W("[]", "[0,8]"), 8, "'w': has 8 bytes, which its shape []"},
    {"product_overflow", W("[4294967296,4294967297]", "[0,4]"), 4, "whose product overflows"},
    {"bytes_overflow", W("[4611686018427387905]", "[0,4]"), 4, "'w': has 4 bytes"},
    {"bits_not_bytes", "{\"w\":" T("F4", "[1]", "[0,1]") "}", 1, "'w': has 1 bytes"},
    {"shape_negative", W("[-1]", "[0,4]"), 4, "'w': has a \"shape\" whose number 0"},
    {"shape_fraction", W("[1,1.0]", "[0,4]"), 4, "'w': has a \"shape\" whose number 1"},
    {"shape_true", W("[true]", "[0,4]"), 4, "'w': has a \"shape\" whose number 0"},
    {"shape_text", W("\"1\"", "[0,4]"), 4, "'w': has no \"shape\""},
    {"shape_huge", W("[99999999999999999999]", "[0,4]"), 4, "not right JSON"},
    {"shape_missing", "{\"w\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "'w': has no"},
    {"dtype_unknown", "{\"w\":" T("F33", "[1]", "[0,4]") "}", 4,
     "'w': has the unknown dtype 'F33'"},
    {"dtype_case", "{\"w\":" T("f32", "[1]", "[0,4]") "}", 4, "'w': has the unknown dtype"},
    {"dtype_number", "{\"w\":{\"dtype\":32,\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
     "'w': has no"},
    {"offsets_missing", "{\"w\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "'w': has no"},
    {"offsets_one", W("[1]", "[4]"), 4, "'w': has no \"data_offsets\""},
    {"offsets_three", W("[1]", "[0,4,4]"), 4, "'w': has no \"data_offsets\""},
    {"offsets_negative", W("[1]", "[-4,0]"), 4, "'w': has no \"data_offsets\""},
    {"offsets_fraction", W("[1]", "[0,4.0]"), 4, "'w': has no \"data_offsets\""},
    {"entry_number", "{\"w\":1}", 0, "'w': is not a JSON object"},
    {"metadata_list", "{\"__metadata__\":[]}", 0, "\"__metadata__\" is not"},
    {"metadata_number", "{\"__metadata__\":{\"a\":\"b\",\"steps\":3}}", 0, "'steps' is not"},
    {"metadata_null", "{\"__metadata__\":null}", 0, "\"__metadata__\" is not"},
};

static void malformed_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(malformed); i++)
        refused(
            zeros_put(path_in(bad, malformed[i].name), malformed[i].header, malformed[i].data_size),
            malformed[i].expected);
}

static void wrong_lengths_are_refused(void **state)
{
    (void)state;
    static const char header[] = W("[1]", "[0,4]");
    const size_t size = sizeof header - 1;
    const struct {
        const char *name;
        uint64_t length;
        const char *expected;
    } lies[] = {
        {"length_0", 0, "given as 0 bytes"},
        {"length_short", size - 1, "not right JSON"},
        {"length_long", size + 1, "end with '}'"},
        {"length_past_end", size + 5, "follow"},
        {"length_2_62", (uint64_t)1 << 62, "more than 8388608"},
        {"length_max", UINT64_MAX, "more than 8388608"},
        {"length_negative", (uint64_t)1 << 63, "more than 8388608"},
    };
    for (size_t i = 0; i < COUNT(lies); i++)
        refused(file_put(path_in(bad, lies[i].name), lies[i].length, header, size, "\0\0\0", 4),
                lies[i].expected);
    static const char zero[] = W("[1\0]", "[0,4]");
    refused(
        file_put(path_in(bad, "zero_byte"), sizeof zero - 1, zero, sizeof zero - 1, "\0\0\0", 4),
        "has a zero byte");
    for (size_t cut = 0; cut < 8 + size + 4; cut++) {
        char name[32];
        snprintf(name, sizeof name, "cut_%zu", cut);
        const char *path = zeros_put(path_in(bad, name), header, 4);
        assert_int_equal(truncate(path, (off_t)cut), 0);
        refused(path, cut < 8          ? "too few"
                      : cut < 8 + size ? "header's length"
                                       : "'w': lies at 0..4");
    }
}

/* Right by the format, but more than we let a file ask of us. */
static void limits_hold(void **state)
{
    (void)state;
    const char *path = path_in(folder, "limit");
    refused(zeros_put(path, W("[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4), "'w': has rank 9, more than 8");
    char *header = malloc(SAFETENSORS_MAX_HEADER + 1);
    assert_non_null(header);
    char *at = header;
    for (int i = 0; i <= SAFETENSORS_MAX_TENSORS; i++)
        at += sprintf(at, "%c\"%d\":" T("F32", "[0]", "[0,0]"), i ? ',' : '{', i);
    strcpy(at, "}");
    refused(zeros_put(path, header, 0), "has 4097 tensors, more than 4096");
    strcpy(header, "{\"__metadata__\":[");
    memset(header + strlen(header), '{', SAFETENSORS_MAX_HEADER - 20);
    strcpy(header + SAFETENSORS_MAX_HEADER - 10, "]}");
    refused(zeros_put(path, header, 0), "the header has more values than");
    memset(header, ' ', SAFETENSORS_MAX_HEADER + 1);
    memcpy(header, "{}", 2);
    refused(file_put(path, SAFETENSORS_MAX_HEADER + 1, header, SAFETENSORS_MAX_HEADER + 1, "", 0),
            "more than 8388608");
    safetensors_destroy(
        opened(file_put(path, SAFETENSORS_MAX_HEADER, header, SAFETENSORS_MAX_HEADER, "", 0)));
    free(header);
    assert_int_equal(truncate(path, (off_t)SAFETENSORS_MAX_FILE + 1), 0);
    refused(path, "more than the 1073741824");
}

static void only_files_are_opened(void **state)
{
    (void)state;
    alarm(20); /* a reader that waits for a pipe's writer would wait for ever */
    refused(folder, "is a folder");
    refused("/dev/null", "is a device");
    refused(path_in(folder, "absent"), "cannot be opened (No such file or directory)");
    const char *pipe_path = path_in(folder, "pipe");
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    refused(pipe_path, "is a pipe");
    unlink(pipe_path);
    alarm(0);
}

/* Names come from the file: they must neither break a message's line nor push the mend out of it.
 */
static void names_do_not_spoil_messages(void **state)
{
    (void)state;
    const char *path = path_in(folder, "names");
    refused(zeros_put(path, "{\"a\\n\\u001b[2J\":1}", 0), "tensor 'a??[2J': is not");
    char header[5000] = "{\"";
    memset(header + 2, 'x', 4000);
    strcat(header, "\":1}");
    refused(zeros_put(path, header, 0), "xxx...': is not a JSON object; fetch the file");
}

static void read_refused(const char *path, const char *name, size_t rank, const size_t *shape,
                         const char *expected)
{
    Safetensors *file = opened(path);
    Error err = {""};
    float out[16];
    assert_int_equal(safetensors_read_float(file, name, rank, shape, out, &err), -1);
    message_check(&err, path, expected);
    safetensors_destroy(file);
}

/* Somebody writes to the disk while the file is open. */
static void files_that_change_are_read_on_or_refused(void **state)
{
    (void)state;
    const float two = 2.0f;
    float out = 0.0f;
    Error err = {""};
    const char *header = W("[1]", "[0,4]"), *path = path_in(folder, "changes");
    char other[2 * PATH_MAX + 8];
    snprintf(other, sizeof other, "%s.new", path);
    zeros_put(path, header, 4);
    /* Replaced, as everything that writes with care does it: the one that was opened is read. */
    Safetensors *file = opened(path);
    file_put(other, strlen(header), header, strlen(header), &two, 4);
    assert_int_equal(rename(other, path), 0);
    assert_int_equal(safetensors_read_float(file, "w", 1, (size_t[]){1}, &out, &err), 0);
    assert_true(out == 0.0f);
    safetensors_destroy(file);
    file = opened(path);
    assert_int_equal(safetensors_read_float(file, "w", 1, (size_t[]){1}, &out, &err), 0);
    assert_true(out == 2.0f);
    /* Cut. */
    assert_int_equal(truncate(path, (off_t)strlen(header) + 10), 0);
    assert_int_equal(safetensors_read_float(file, "w", 1, (size_t[]){1}, &out, &err), -1);
    message_check(&err, path, "became shorter while it was read");
    safetensors_destroy(file);
}

static void reading_is_strict(void **state)
{
    (void)state;
    const char *path = zeros_put(path_in(folder, "strict"), W("[2,3]", "[0,24]"), 24);
    const size_t right[] = {2, 3}, turned[] = {3, 2}, flat[] = {6}, deep[] = {2, 3, 1};
    float out[6];
    Safetensors *file = opened(path);
    assert_int_equal(safetensors_read_float(file, "w", 2, right, out, NULL), 0);
    safetensors_destroy(file);
    read_refused(path, "w", 2, turned, "'w' has shape [2, 3] where [3, 2] is expected");
    read_refused(path, "w", 1, flat, "'w' has shape [2, 3] where [6] is expected");
    read_refused(path, "w", 3, deep, "'w' has shape [2, 3] where [2, 3, 1] is expected");
    read_refused(path, "w", 0, NULL, "'w' has shape [2, 3] where [] is expected");
    read_refused(path, "v", 2, right, "has no tensor 'v'");

    const float numbers[2][3] = {{1, 2, NAN}, {-INFINITY, 1, 1}};
    static const char single[] = W("[3]", "[0,12]"),
                      half[] = "{\"h\":" T("F16", "[2]", "[0,4]") "}";
    static const char brain[] = "{\"b\":" T("BF16", "[2]", "[0,4]") "}";
    const size_t two = 2, three = 3;
    file_put(path, sizeof single - 1, single, sizeof single - 1, numbers[0], 12);
    read_refused(path, "w", 1, &three, "'w' has the value NaN at index 2");
    file_put(path, sizeof single - 1, single, sizeof single - 1, numbers[1], 12);
    read_refused(path, "w", 1, &three, "'w' has the value infinity at index 0");
    file_put(path, sizeof half - 1, half, sizeof half - 1, "\x00\x3c\x00\x7c", 4);
    read_refused(path, "h", 1, &two, "'h' has the value infinity at index 1");
    file_put(path, sizeof half - 1, half, sizeof half - 1, "\x01\xfe\x00\x00", 4);
    read_refused(path, "h", 1, &two, "'h' has the value NaN at index 0");
    zeros_put(path, brain, 4);
    read_refused(path, "b", 1, &two, "'b' has dtype BF16");
}

/* Unsorted, unaligned, empty, scalar, padded: all of it is allowed. */
static void unusual_files_are_read(void **state)
{
    (void)state;
    static const char header[] = "{\"w\":" T("F32", "[1,2]", "[1,9]") ",\"none\":" T(
        "F16", "[0,7]", "[1,1]") ",\"__metadata__\":{\"z\":\"1\",\"a\":\"\"},"
                                 "\"one\":" T("F16", "[]", "[9,11]") ",\"byte\":" T("U8", "[1]",
                                                                                    "[0,1]") "}   ";
    static const unsigned char data[] = {7, 0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc1, 0x00, 0x38};
    const char *path = file_put(path_in(folder, "unusual"), sizeof header - 1, header,
                                sizeof header - 1, data, sizeof data);
    Safetensors *file = opened(path);
    assert_int_equal(safetensors_count(file), 4);
    assert_string_equal(safetensors_name(file, 0), "w");
    assert_string_equal(safetensors_name(file, 3), "byte");
    assert_int_equal(safetensors_metadata_count(file), 2);
    assert_string_equal(safetensors_metadata_key(file, 0), "z");
    assert_string_equal(safetensors_metadata(file, "z"), "1");
    assert_string_equal(safetensors_metadata(file, "a"), "");
    assert_null(safetensors_metadata(file, "b"));
    const size_t pair[] = {1, 2}, none[] = {0, 7};
    float out[2];
    assert_int_equal(safetensors_read_float(file, "w", 2, pair, out, NULL), 0);
    assert_true(out[0] == 1.0f && out[1] == -10.0f);
    assert_int_equal(safetensors_read_float(file, "none", 2, none, out, NULL), 0);
    assert_int_equal(safetensors_read_float(file, "one", 0, NULL, out, NULL), 0);
    assert_true(out[0] == 0.5f);
    SafetensorsInfo info;
    assert_int_equal(safetensors_find(file, "byte", &info, NULL), 0);
    assert_int_equal(info.type, SAFETENSORS_OTHER);
    assert_string_equal(info.type_name, "U8");
    assert_int_equal(safetensors_find(file, "w", &info, NULL), 0);
    assert_true(info.rank == 2 && info.shape[1] == 2 && info.elements == 2 && info.bytes == 8);
    assert_int_equal(safetensors_find(file, "x", &info, NULL), -1);
    safetensors_destroy(file);
    file = opened(zeros_put(path, "{}", 0));
    assert_int_equal(safetensors_count(file), 0);
    assert_null(safetensors_metadata(file, "a"));
    safetensors_destroy(file);
    safetensors_destroy(NULL);
}

static const float sample[] = {0.1f, -2.5f, 65504.0f, 0x1p-24f, 0.0f, 1.0f / 3};
static const float sample_half[] = {0x1.998p-4f, -2.5f, 65504.0f, 0x1p-24f, 0.0f, 0x1.554p-2f};

static SafetensorsWriter *sample_writer(bool half)
{
    const size_t shape[] = {2, 3}, short_shape[] = {3};
    SafetensorsWriter *writer = safetensors_writer_create(NULL);
    assert_non_null(writer);
    assert_int_equal(safetensors_writer_metadata(writer, "kind", "old", NULL), 0);
    assert_int_equal(safetensors_writer_metadata(writer, "kind", "brume.\"sample\" \xc3\xa9", NULL),
                     0);
    assert_int_equal(safetensors_writer_metadata(writer, "format", "1", NULL), 0);
    assert_int_equal(safetensors_writer_tensor(writer, "z.weight", 2, shape, sample, half, NULL),
                     0);
    assert_int_equal(
        safetensors_writer_tensor(writer, "a.bias", 1, short_shape, sample, half, NULL), 0);
    assert_int_equal(safetensors_writer_tensor(writer, "scale", 0, NULL, sample + 1, false, NULL),
                     0);
    return writer;
}

static void written_is_read_back(void **state)
{
    (void)state;
    for (int half = 0; half < 2; half++) {
        const char *path = path_in(kept, half ? "half.safetensors" : "single.safetensors");
        SafetensorsWriter *writer = sample_writer(half);
        assert_int_equal(safetensors_writer_save(writer, path, NULL), 0);
        assert_int_equal(safetensors_writer_save(writer, path, NULL), 0);
        safetensors_writer_destroy(writer);
        Safetensors *file = opened(path);
        assert_int_equal(safetensors_count(file), 3);
        assert_string_equal(safetensors_name(file, 0), "z.weight");
        assert_string_equal(safetensors_name(file, 2), "scale");
        assert_string_equal(safetensors_metadata(file, "kind"), "brume.\"sample\" \xc3\xa9");
        SafetensorsInfo info;
        assert_int_equal(safetensors_find(file, "z.weight", &info, NULL), 0);
        assert_int_equal(info.type, half ? SAFETENSORS_F16 : SAFETENSORS_F32);
        float out[6];
        const size_t shape[] = {2, 3};
        assert_int_equal(safetensors_read_float(file, "z.weight", 2, shape, out, NULL), 0);
        assert_memory_equal(out, half ? sample_half : sample, sizeof out);
        assert_int_equal(safetensors_read_float(file, "scale", 0, NULL, out, NULL), 0);
        assert_true(out[0] == -2.5f);
        safetensors_destroy(file);
    }
}

/* Byte by byte what the specification says. */
static void bytes_are_the_format(void **state)
{
    (void)state;
    static const char expected[] =
        "\x50\0\0\0\0\0\0\0{\"__metadata__\":{\"k\":\"v\"},\"w\":"
        "{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,2]}} \x00\x3c";
    const size_t one = 1;
    SafetensorsWriter *writer = safetensors_writer_create(NULL);
    safetensors_writer_tensor(writer, "w", 1, &one, &(float){1.0f}, true, NULL);
    safetensors_writer_metadata(writer, "k", "v", NULL);
    assert_int_equal(safetensors_writer_save(writer, path_in(folder, "bytes"), NULL), 0);
    safetensors_writer_destroy(writer);
    char found[sizeof expected + 8];
    FILE *file = fopen(path_in(folder, "bytes"), "rb");
    assert_non_null(file);
    assert_int_equal(fread(found, 1, sizeof found, file), sizeof expected - 1);
    fclose(file);
    assert_memory_equal(found, expected, sizeof expected - 1);
}

static void writer_refuses(void **state)
{
    (void)state;
    const size_t two = 2, ranks[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1}, huge[] = {SIZE_MAX / 2, 3};
    const float nan[] = {0, NAN}, large[] = {-65520.0f, 0}, fine[] = {1, 65519.0f};
    const struct {
        const char *name;
        size_t rank;
        const size_t *shape;
        const float *values;
        bool half;
        const char *expected;
    } cases[] = {
        {"a", 1, &two, nan, false, "'a' has the value NaN at index 1"},
        {"b", 1, &two, large, true, "'b' has the value -65520 at index 0, too large for F16"},
        {"once", 1, &two, fine, false, "'once': the name is taken"},
        {"__metadata__", 1, &two, fine, false, "the name is taken"},
        {"c", 9, ranks, fine, false, "'c' has rank 9"},
        {"d", 2, huge, fine, false, "'d' makes the file larger"},
        {"\xff", 1, &two, fine, false, "UTF-8"},
    };
    SafetensorsWriter *writer = safetensors_writer_create(NULL);
    Error err;
    assert_int_equal(safetensors_writer_tensor(writer, "once", 1, &two, fine, true, &err), 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(safetensors_writer_tensor(writer, cases[i].name, cases[i].rank,
                                                   cases[i].shape, cases[i].values, cases[i].half,
                                                   &err),
                         -1);
        message_check(&err, cases[i].name, cases[i].expected);
    }
    assert_int_equal(safetensors_writer_metadata(writer, "k", "\xff", &err), -1);
    assert_int_equal(safetensors_writer_save(writer, path_in(folder, "one"), &err), 0);
    safetensors_writer_destroy(writer);
    Safetensors *file = opened(path_in(folder, "one"));
    assert_int_equal(safetensors_count(file), 1);
    safetensors_destroy(file);
    safetensors_writer_destroy(NULL);
}

static void save_refused(const char *path, const char *expected)
{
    SafetensorsWriter *writer = sample_writer(false);
    Error err = {""};
    assert_int_equal(safetensors_writer_save(writer, path, &err), -1);
    message_check(&err, path, expected);
    safetensors_writer_destroy(writer);
}

static void failed_saves_leave_nothing(void **state)
{
    (void)state;
    save_refused(path_in(folder, "absent/w"), "No such file or directory");
    save_refused(folder, "is a folder, pipe or device");
    struct stat status;
    save_refused("/dev/full", "is a folder, pipe or device");
    assert_true(stat("/dev/full", &status) == 0 && S_ISCHR(status.st_mode));

    /* A full disk: no file may grow past 100 bytes. */
    const char *path = zeros_put(path_in(folder, "there"), W("[1]", "[0,4]"), 4);
    const size_t before = folder_count(folder);
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    const struct rlimit small = {100, limit.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    save_refused(path, "File too large");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(folder_count(folder), before);
    Safetensors *file = opened(path);
    assert_string_equal(safetensors_name(file, 0), "w");
    safetensors_destroy(file);

    if (geteuid() != 0) {
        chmod(folder, 0500);
        save_refused(path, "Permission denied");
        chmod(folder, 0700);
    }
    assert_int_equal(folder_count(folder), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malformed_is_refused),
        cmocka_unit_test(wrong_lengths_are_refused),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(only_files_are_opened),
        cmocka_unit_test(names_do_not_spoil_messages),
        cmocka_unit_test(files_that_change_are_read_on_or_refused),
        cmocka_unit_test(reading_is_strict),
        cmocka_unit_test(unusual_files_are_read),
        cmocka_unit_test(written_is_read_back),
        cmocka_unit_test(bytes_are_the_format),
        cmocka_unit_test(writer_refuses),
        cmocka_unit_test(failed_saves_leave_nothing),
    };
    return cmocka_run_group_tests(tests, folders_make, folders_remove);
}
