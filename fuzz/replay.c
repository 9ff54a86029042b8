/*
 * Runs a fuzz target over saved inputs, without a fuzzer: each argument is a
 * file or a directory of them. Every input is copied into memory of exactly
 * its size, where a sanitizer sees a read beyond it. No input is an error.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int complain(const char *path)
{
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	return -1;
}

static int read_all(const char *path, uint8_t *data, size_t len)
{
	FILE *file = fopen(path, "rb");
	size_t got;

	if (file == NULL)
		return complain(path);
	got = fread(data, 1, len, file);
	fclose(file);
	return got == len ? 0 : complain(path);
}

static int replay_file(const char *path, size_t len)
{
	uint8_t *data = malloc(len);
	int result = -1;

	if (data == NULL && len > 0) {
		complain(path);
		goto out;
	}
	if (read_all(path, data, len) != 0)
		goto out;
	LLVMFuzzerTestOneInput(data, len);
	result = 0;
out:
	free(data);
	return result;
}

static int replay(const char *path, unsigned long *inputs);

static int replay_entry(
	const char *directory, const char *name, unsigned long *inputs)
{
	char *path = NULL;
	int result;

	if (name[0] == '.')
		return 0;
	if (asprintf(&path, "%s/%s", directory, name) < 0)
		return complain(directory);
	result = replay(path, inputs);
	free(path);
	return result;
}

static int replay_directory(const char *path, unsigned long *inputs)
{
	struct dirent **entries = NULL;
	int len = scandir(path, &entries, NULL, alphasort);
	int result = 0;

	if (len < 0)
		return complain(path);
	for (int i = 0; i < len; i++) {
		if (replay_entry(path, entries[i]->d_name, inputs) != 0)
			result = -1;
		free(entries[i]);
	}
	free(entries);
	return result;
}

static int replay(const char *path, unsigned long *inputs)
{
	struct stat status;

	if (stat(path, &status) != 0)
		return complain(path);
	if (S_ISDIR(status.st_mode))
		return replay_directory(path, inputs);
	++*inputs;
	return replay_file(path, (size_t)status.st_size);
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	unsigned long inputs = 0;
	int result = EXIT_SUCCESS;

	for (int i = 1; i < argc; i++) {
		if (replay(argv[i], &inputs) != 0)
			result = EXIT_FAILURE;
	}
	printf("%s: %lu inputs\n", slash != NULL ? slash + 1 : argv[0], inputs);
	if (inputs == 0)
		result = EXIT_FAILURE;
	if (oracle_write_counts() != 0) {
		complain("LBP_ORACLE_COUNTS");
		result = EXIT_FAILURE;
	}
	return result;
}
