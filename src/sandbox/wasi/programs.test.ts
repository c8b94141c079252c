import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileC, findToolchain } from "../../../examples/compile-c.ts";
import { createSandbox } from "../sandbox.ts";
import type { TaskArgs, TaskResult } from "../task.ts";
import { ERRNO } from "./errno.ts";
import { bytesOf, NO_ARGS, requestFor, text } from "../wat.contract.ts";

/** Programs in C as people write them, against what a C library on a common system would do. */

const toolchain = existsSync("/usr/lib/wasm32-wasi") ? await findToolchain("wasi") : undefined;
if (toolchain === undefined)
  console.log("C programs for WASI skipped: clang, wasm-ld or wasi-libc is missing");

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tabmesh-programs-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const INCLUDES = [
  "stdio",
  "stdlib",
  "string",
  "errno",
  "unistd",
  "fcntl",
  "dirent",
  "time",
  "math",
  "sys/stat",
]
  .concat(["limits", "poll", "sched", "inttypes"])
  .map((name) => `#include <${name}.h>\n`)
  .join("");

/** Calls of preview 1 as they are, without the C library. */
const RAW = `#include <wasi/api.h>
#pragma clang diagnostic ignored "-Wunused-result"`;

let count = 0;

async function run(body: string, task: { args?: Partial<TaskArgs>; input?: string; more?: string } = {}) {
  const { args = {}, input = "", more = "" } = task;
  count += 1;
  const source = join(folder, `${count}.c`);
  const main = `int main(int argc, char **argv) { (void)argc; (void)argv; ${body} return 0; }`;
  await writeFile(source, `${INCLUDES}${more}\n${main}\n`);
  const sandbox = createSandbox();
  const loaded = await sandbox.load("f", await compileC(pathToFileURL(source), "wasi"));
  expect(loaded).toMatchObject({ kind: "loaded" });
  return sandbox.run(requestFor("wasi-p1", { args: { ...NO_ARGS, ...args }, input: bytesOf(input) }));
}

function printed(result: TaskResult): string {
  return result.kind === "done" ? text(result.output) : `failed: ${result.detail} ${text(result.stderr)}`;
}

const ROOT: Partial<TaskArgs> = { files: [{ path: "data/hello.txt", bytes: bytesOf("hello, world\n") }] };

describe.skipIf(toolchain === undefined)("a program in C", () => {
  it("prints numbers, floats and text as everywhere", async () => {
    const result = await run(
      `printf("%d %5.3f %g %e %s|%-6s|%06d %x %" PRId64 "\\n", -42, 3.14159265, 1e-7, 12345.678, "text", "pad", 77, 255, INT64_MIN);
       printf("%.17g %a %f %f\\n", 0.1, 1.0, INFINITY, -0.0);`,
    );
    expect(printed(result)).toBe(
      "-42 3.142 1e-07 1.234568e+04 text|pad   |000077 ff -9223372036854775808\n0.10000000000000001 0x1p+0 inf -0.000000\n",
    );
  });

  it("reads standard input to its end, and then again its end", async () => {
    const result = await run(
      `char line[64]; int n = 0; while (fgets(line, sizeof line, stdin)) n++;
       printf("%d %d %d", n, feof(stdin) != 0, (int)read(0, line, 4));`,
      { input: "a\nb\nlast" },
    );
    expect(printed(result)).toBe("3 1 0");
  });

  it("reads, seeks and stats a file of the job", async () => {
    const result = await run(
      `FILE *f = fopen("data/hello.txt", "rb"); char b[6] = {0};
       fread(b, 1, 5, f); printf("%s %ld ", b, ftell(f));
       fseek(f, -6, SEEK_END); fread(b, 1, 5, f); printf("%s ", b);
       fseek(f, 100, SEEK_SET); printf("%d %d ", (int)fread(b, 1, 5, f), feof(f) != 0); fclose(f);
       struct stat s; stat("data/hello.txt", &s); printf("%d %d ", (int)s.st_size, S_ISREG(s.st_mode));
       stat("data", &s); printf("%d", S_ISDIR(s.st_mode));`,
      { args: ROOT },
    );
    expect(printed(result)).toBe("hello 5 world 0 1 13 1 1");
  });

  it("writes a file that becomes the output, with seeking back, appending and a gap", async () => {
    const result = await run(
      `FILE *f = fopen("out.bin", "w+b"); fputs("0123456789", f); fseek(f, 2, SEEK_SET); fputs("ab", f); fclose(f);
       f = fopen("out.bin", "ab"); fputs("+", f); fclose(f);
       int fd = open("out.bin", O_RDWR); pwrite(fd, "!", 1, 12); ftruncate(fd, 14); close(fd);`,
      { args: { outputFile: "out.bin" } },
    );
    expect(printed(result)).toBe("01ab456789+\0!\0");
  });

  it("makes, lists, renames and removes directories and files", async () => {
    const result = await run(
      `mkdir("d", 0777); mkdir("d/sub", 0777); fclose(fopen("d/a", "w")); fclose(fopen("d/b", "w"));
       printf("%d ", rename("d/a", "d/sub/c")); printf("%d ", unlink("d/b"));
       DIR *dir = opendir("d"); struct dirent *e; int n = 0;
       while ((e = readdir(dir))) { n++; printf("%s:%d ", e->d_name, e->d_type == DT_DIR); }
       rewinddir(dir); while (readdir(dir)) n--; closedir(dir);
       printf("%d %d %d ", n, rmdir("d"), errno == ENOTEMPTY);
       printf("%d %d %d %d", unlink("d/sub/c"), rmdir("d/sub"), rmdir("d"), access("d", F_OK));`,
      { args: ROOT },
    );
    expect(printed(result)).toBe("0 0 .:1 ..:1 sub:1 0 -1 1 0 0 0 -1");
  });

  it("lists a directory that is larger than one buffer", async () => {
    const result = await run(
      `char name[64]; mkdir("many", 0777); int seen[300] = {0};
       for (int i = 0; i < 300; i++) { snprintf(name, sizeof name, "many/a-rather-long-file-name-%03d", i); fclose(fopen(name, "w")); }
       DIR *dir = opendir("many"); struct dirent *e; int n = 0;
       while ((e = readdir(dir))) if (e->d_name[0] != '.') { n++; seen[atoi(e->d_name + 24)]++; }
       for (int i = 0; i < 300; i++) if (seen[i] != 1) n = -1;
       printf("%d", n);`,
      { args: ROOT },
    );
    expect(printed(result)).toBe("300");
  });

  it("gets the errors that a system gives", async () => {
    const result = await run(
      `E(open("nowhere", O_RDONLY)); E(open("data/hello.txt", O_CREAT | O_EXCL | O_WRONLY, 0666));
       E(open("data", O_WRONLY)); E(open("data/hello.txt", O_RDONLY | O_DIRECTORY)); E(open("data/hello.txt/x", O_RDONLY));
       E(mkdir("data", 0777)); E(rmdir("data")); E(unlink("data")); E(rename("data", "data/sub"));
       E(rename("data/hello.txt", "data")); E(read(99, argv, 1)); E(write(0, "x", 1)); E(lseek(1, 0, SEEK_SET));
       E(readlink("data/hello.txt", (char *)argv, 1)); E(link("data", "l")); E(lseek(open("data/hello.txt", O_RDONLY), -1, SEEK_SET));`,
      { args: ROOT, more: `#define E(call) ((call), printf("%s ", strerror(errno)), errno = 0)` },
    );
    const errors = [
      "No such file or directory",
      "File exists",
      "Is a directory",
      "Not a directory",
      "Not a directory",
      "File exists",
      "Directory not empty",
      "Is a directory",
      "Invalid argument",
      "Is a directory",
      "Bad file descriptor",
      "Bad file descriptor",
      "Invalid seek",
      "Invalid argument",
      "Operation not permitted",
      "Invalid argument",
    ];
    expect(printed(result)).toBe(`${errors.join(" ")} `);
  });

  it("makes and follows symbolic links, and tells them apart", async () => {
    const result = await run(
      `char b[32] = {0}; struct stat s;
       printf("%d %d ", symlink("data/hello.txt", "link"), (int)readlink("link", b, sizeof b)); printf("%s ", b);
       lstat("link", &s); printf("%d %d ", S_ISLNK(s.st_mode), (int)s.st_size);
       stat("link", &s); printf("%d %d ", S_ISREG(s.st_mode), (int)s.st_size);
       FILE *f = fopen("link", "r"); fgets(b, 6, f); printf("%s ", b); fclose(f);
       printf("%d ", open("link", O_RDONLY | O_NOFOLLOW) < 0 && errno == ELOOP);
       symlink("data", "dir"); printf("%d ", access("dir/hello.txt", R_OK));
       symlink("me", "me"); printf("%d ", open("me", O_RDONLY) < 0 && errno == ELOOP);
       symlink("made", "later"); fclose(fopen("later", "w")); printf("%d ", access("made", F_OK));
       printf("%d %d", unlink("link"), access("data/hello.txt", F_OK));`,
      { args: ROOT },
    );
    expect(printed(result)).toBe("0 14 data/hello.txt 1 14 1 13 hello 1 0 1 0 0 0");
  });

  it("cannot leave its directory", async () => {
    const result = await run(
      `errno = 0; printf("%d %d ", open("../x", O_RDONLY), errno == ENOTCAPABLE || errno == ENOENT || errno == EPERM);
       symlink("../../etc", "up"); printf("%d ", open("up/passwd", O_RDONLY));
       printf("%d %d", open("/data/../../etc/passwd", O_RDONLY), open("/data/../data/hello.txt", O_RDONLY) >= 0);`,
      { args: ROOT },
    );
    expect(printed(result)).toBe("-1 1 -1 -1 1");
  });

  it("sees time that is the same everywhere and moves when it sleeps", async () => {
    const result = await run(
      `time_t now = time(NULL); struct tm t; gmtime_r(&now, &t); printf("%d-%02d-%02d ", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday);
       struct timespec a, b; clock_gettime(CLOCK_MONOTONIC, &a); sleep(5); usleep(1000); clock_gettime(CLOCK_MONOTONIC, &b);
       printf("%ld ", (long)(b.tv_sec - a.tv_sec)); printf("%d ", poll(NULL, 0, 2500)); sched_yield();
       clock_gettime(CLOCK_MONOTONIC, &a); printf("%ld", (long)(a.tv_sec - b.tv_sec));`,
    );
    expect(printed(result)).toBe("2025-01-01 5 0 2");
  });

  it("times of files follow that clock and can be set", async () => {
    const result = await run(
      `struct stat s; struct timespec t[2] = {{.tv_sec = 5}, {.tv_sec = 7}};
       utimensat(AT_FDCWD, "data/hello.txt", t, 0); stat("data/hello.txt", &s);
       printf("%d %d ", (int)s.st_atim.tv_sec, (int)s.st_mtim.tv_sec);
       sleep(9); FILE *f = fopen("data/hello.txt", "a"); fputs("x", f); fclose(f); stat("data/hello.txt", &s);
       printf("%d %d", (int)(s.st_mtim.tv_sec - 1735689600), s.st_mtim.tv_sec == s.st_ctim.tv_sec);`,
      { args: ROOT },
    );
    expect(printed(result)).toBe("5 7 9 1");
  });

  it("draws randomness that follows from the seed", async () => {
    const body = `unsigned char b[4]; getentropy(b, 4); printf("%02x%02x%02x%02x", b[0], b[1], b[2], b[3]);`;
    expect(printed(await run(body))).toBe("c71a82e2");
  });

  it("gets arguments and environment to the byte", async () => {
    const result = await run(
      `for (int i = 0; i < argc; i++) printf("[%s]", argv[i]); printf("%s %d", getenv("NAME"), getenv("NONE") == NULL);`,
      { args: { args: ["", "a b", "é", "--x=1"], env: { NAME: "v=a l" } } },
    );
    expect(printed(result)).toBe("[function][][a b][é][--x=1]v=a l 1");
  });

  it("sorts, allocates and frees", async () => {
    const result = await run(
      `int *v = malloc(20000 * sizeof *v); unsigned x = 1; for (int i = 0; i < 20000; i++) v[i] = (int)((x = x * 1103515245u + 12345u) >> 8);
       qsort(v, 20000, sizeof *v, cmp); int ok = 1; for (int i = 1; i < 20000; i++) ok &= v[i - 1] <= v[i];
       for (int i = 0; i < 1000; i++) free(malloc(100000)); printf("%d", ok);`,
      { more: "static int cmp(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }" },
    );
    expect(printed(result)).toBe("1");
  });

  it("ends as it says: a code, abort, a failed assertion, or with its output closed", async () => {
    expect(await run("exit(7);")).toMatchObject({ kind: "failed", detail: "exit code 7" });
    expect(await run("return 256 + 3;")).toMatchObject({ kind: "failed", detail: "exit code 259" });
    expect(await run("abort();")).toMatchObject({ kind: "failed", code: 30003 });
    const result = await run(
      `printf("before"); fflush(stdout); close(1); fprintf(stderr, "%d", (int)write(1, "x", 1));`,
    );
    expect([printed(result), text(result.stderr)]).toEqual(["before", "-1"]);
  });

  it("gets the right number from every call that it makes wrongly", async () => {
    const result = await run(
      `uint8_t *bad = (uint8_t *)0xfffffff0u, buf[64]; size_t n; __wasi_fd_t fd; __wasi_ciovec_t out = {bad, 100}; __wasi_iovec_t in1 = {buf, 4}; __wasi_filestat_t st;
       __wasi_prestat_t pre; __wasi_filesize_t at; __wasi_timestamp_t t; uint16_t fl;
       #define P(call) printf("%d ", (int)(call))
       P(__wasi_fd_write(1, &out, 1, &n)); P(__wasi_fd_write(1, (void *)bad, 4, &n)); P(__wasi_random_get(bad, 100));
       P(__wasi_clock_time_get(9, 0, &t)); P(__wasi_clock_res_get(9, &t)); P(__wasi_fd_close(99)); P(__wasi_fd_renumber(3, 99));
       P(__wasi_fd_prestat_get(0, &pre)); P(__wasi_fd_prestat_get(4, &pre)); P(__wasi_fd_prestat_dir_name(3, buf, 0));
       P(__wasi_fd_seek(3, 0, 0, &at)); P(__wasi_fd_tell(1, &at)); P(__wasi_fd_read(1, &in1, 1, &n));
       P(__wasi_path_open(3, 0, "/data", 0, 0, 0, 0, &fd)); P(__wasi_path_open(3, 0, "..", 0, 0, 0, 0, &fd));
       P(__wasi_path_open(3, 0, "", 0, 0, 0, 0, &fd)); P(__wasi_path_open(1, 0, "x", 0, 0, 0, 0, &fd));
       P(__wasi_path_open(3, 0, "data/hello.txt/", 0, 2, 0, 0, &fd)); P(__wasi_path_open(3, 0, "new/", 1, 2, 0, 0, &fd));
       P(__wasi_path_open(3, 0, "data", 2, 0x40, 0, 0, &fd)); P(__wasi_path_open(3, 0, "\\xff", 0, 2, 0, 0, &fd));
       P(__wasi_path_filestat_get(3, 0, "none", &st)); P(__wasi_path_readlink(3, "data", buf, 9, &n));
       P(__wasi_path_symlink("/etc", 3, "l")); P(__wasi_path_symlink("", 3, "l")); P(__wasi_path_link(3, 1, "data/hello.txt", 3, "l"));
       P(__wasi_path_filestat_set_times(3, 0, "data", 0, 0, 3)); P(__wasi_fd_advise(3, 0, 0, 0)); P(__wasi_fd_allocate(1, 0, 1));
       P(__wasi_sock_recv(0, 0, 0, 0, &n, &fl)); P(__wasi_sock_send(99, 0, 0, 0, &n)); P(__wasi_sock_shutdown(1, 1));
       P(__wasi_poll_oneoff(0, 0, 0, &n)); P(__wasi_sched_yield());
       __wasi_subscription_t in[2] = {{7, {0, .u.clock = {9, 5, 0, 0}}}, {8, {1, .u.fd_read = {99}}}}; __wasi_event_t ev[2];
       P(__wasi_poll_oneoff(in, ev, 2, &n)); printf("|%d %d %d %d %d", (int)n, (int)ev[0].userdata, ev[0].error, (int)ev[1].userdata, ev[1].error);`,
      { args: ROOT, more: RAW },
    );
    const names = new Map(Object.entries(ERRNO).map(([name, number]) => [String(number), name]));
    const [called, events] = printed(result).split("|");
    expect(
      called
        ?.trim()
        .split(" ")
        .map((number) => names.get(number) ?? number)
        .join(" "),
    ).toBe(
      "fault fault fault inval inval badf badf badf badf nametoolong isdir spipe badf " +
        "notcapable notcapable noent notdir notdir isdir isdir ilseq " +
        "noent inval notcapable noent inval inval isdir spipe notsock badf notsock inval success success",
    );
    expect(events).toBe(`2 7 ${ERRNO.inval} 8 ${ERRNO.badf}`);
  });

  it("reads a directory on from any cookie, with entries cut off at the end of the buffer", async () => {
    const result = await run(
      `__wasi_fd_t fd; uint8_t buf[200]; size_t n; mkdir("d", 0777); fclose(fopen("d/one", "w")); fclose(fopen("d/two", "w"));
       __wasi_path_open(3, 0, "d", 2, 1 << 14, 0, 0, &fd);
       __wasi_fd_readdir(fd, buf, 30, 0, &n); printf("%d ", (int)n); __wasi_fd_readdir(fd, buf, 200, 0, &n); printf("%d ", (int)n);
       __wasi_dirent_t e; __wasi_dircookie_t next = 0; int count = 0;
       do { __wasi_fd_readdir(fd, buf, 200, next, &n); if (n < sizeof e) break; memcpy(&e, buf, sizeof e); next = e.d_next;
            printf("%.*s:%d ", (int)e.d_namlen, (char *)buf + sizeof e, e.d_type); unlink("d/one"); } while (++count < 9);
       printf("%d", (int)n);`,
      { args: ROOT, more: RAW },
    );
    expect(printed(result)).toBe("30 105 .:3 ..:3 two:4 0");
  });

  it("duplicates nothing it should not: temporary files are made and removed many times", async () => {
    const result = await run(
      `for (int i = 0; i < 20000; i++) { int fd = open("t", O_CREAT | O_RDWR, 0666); if (fd < 0) { printf("%d", i); return 0; } close(fd); unlink("t"); }
       printf("all");`,
      { args: ROOT },
    );
    expect(printed(result)).toBe("all");
  });
});
