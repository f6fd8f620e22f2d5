/* SHA-256 of files: the examples of FIPS 180-4, and files whose ends lie on either side of a block,
 * of the padding and of what is read at a time; theirs are the digests of GNU coreutils' sha256sum.
 */
#include "dsp/sha256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static char folder[] = "/tmp/brume-sha256-XXXXXX";
static char path[64];

static void file_write(const void *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

static void digest_check(const void *bytes, size_t n, const char *expected)
{
    char hex[SHA256_ROOM];
    Error err = {""};
    file_write(bytes, n);
    if (sha256_file(path, hex, &err))
        fail_msg("%s", err.message);
    assert_string_equal(hex, expected);
    assert_string_equal(err.message, "");
    unsigned char digest[SHA256_BYTES];
    sha256_bytes(bytes, n, digest);
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        char pair[3];
        snprintf(pair, sizeof pair, "%02x", digest[i]);
        assert_memory_equal(pair, expected + 2 * i, 2);
    }
}

static void published_examples(void **state)
{
    (void)state;
    static const char *const examples[][2] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
         "lmnopqrsmnopqrstnopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    };
    for (size_t i = 0; i < COUNT(examples); i++)
        digest_check(examples[i][0], strlen(examples[i][0]), examples[i][1]);
}

/* n times the letter a; a million of them is FIPS 180-4's example. */
static void lengths_around_every_edge(void **state)
{
    (void)state;
    static const struct {
        size_t n;
        const char *digest;
    } letters[] = {
        {1, "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"},
        {55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"},
        {56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"},
        {63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34"},
        {64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"},
        {65, "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0"},
        {119, "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb"},
        {120, "2f3d335432c70b580af0e8e1b3674a7c020d683aa5f73aaaedfdc55af904c21c"},
        {32767, "e3ab7df365190d116dd32400a57dd4a1506ac167156b8aa770d29b086cc1cfb4"},
        {32768, "b217b65e6f205f41b3fb8ef90cf7c44da93f630ca03965273485bbb21a5cccf5"},
        {32769, "94c9394bd6ee8fcad7b37332529186fd12354dc39b0109db7e1bce510e25048d"},
        {65536, "bf718b6f653bebc184e1479f1935b8da974d701b893afcf49e701f3e2f9f9c5a"},
        {1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
    };
    static char many[1000000];
    memset(many, 'a', sizeof many);
    for (size_t i = 0; i < COUNT(letters); i++)
        digest_check(many, letters[i].n, letters[i].digest);
}

static void refused(const char *what, const char *fault)
{
    char hex[SHA256_ROOM] = "as it was";
    Error err = {""};
    assert_int_equal(sha256_file(what, hex, &err), -1);
    assert_int_equal(sha256_file(what, hex, NULL), -1);
    assert_string_equal(hex, "as it was");
    assert_non_null(strstr(err.message, what));
    assert_non_null(strstr(err.message, fault));
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    unlink(path);
    refused(path, "No such file");
    refused(folder, "not a regular file");
    refused("/dev/zero", "not a regular file");
    assert_int_equal(mkfifo(path, 0600), 0);
    alarm(60); /* should it wait for a writer after all */
    refused(path, "not a regular file");
    alarm(0);
}

static int folder_make(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/file", folder);
    return 0;
}

static int folder_remove(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_examples),
        cmocka_unit_test(lengths_around_every_edge),
        cmocka_unit_test(what_is_no_file_is_refused),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
