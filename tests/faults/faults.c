/* A disk that fails when it is told to, and one that forgets what was not synced.
 *
 * Loaded with LD_PRELOAD into a program that works on one folder. It stands before the calls of libc that change files
 * below that folder; calls a program makes past libc (copy_file_range by its number, for instance) are seen at the next
 * sync of the file only.
 *
 * FAULTS_FOLDER   the folder, absolute, without links; nothing happens without it
 * FAULTS_AT       number of the call that goes wrong, from 1; 0 or absent: none does
 * FAULTS_CHANCE   instead: each call goes wrong with this chance, in thousandths
 * FAULTS_UNTIL    a path: every write from FAULTS_AT on goes wrong until a file stands there
 * FAULTS_KIND     how: eio, enospc, edquot, short (half is written), cut (half is written, the next write finds no
 *                 space), before (the machine dies instead of the call), after (it dies when the call is done)
 * FAULTS_NO_SYNC  a text: syncs of files with it in their path do nothing and say that all is well
 * FAULTS_SHADOW   a folder, emptied by the caller: what is durable when the program ends, by death or by itself
 * FAULTS_KEEP     chance in thousandths that a piece of 512 octets reaches the device without a sync
 * FAULTS_SEED     of these chances
 * FAULTS_REPORT   a file: a line for each call that went wrong, and "calls N" at the end
 * FAULTS_TRACE    the report has a line for every call
 *
 * Counted are writes, truncations, syncs, and the making, renaming and removing of names. Durable are: the octets of a file
 * at its fsync or fdatasync; its name by the same call, as ext4 does, or by fsync of the folder; the octets and names
 * which chance keeps. After a sync of a file was made to fail, the pages it should have carried stay behind at later syncs
 * too, until they are written again, as Linux does it.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES_MAX 4096
#define PIECE 512
#define PAGE 4096
/* Pages of a file of which it is known that a failed sync left them behind: 256 MiB. */
#define PAGES_MAX 65536
/* How the program ends when the machine dies. */
#define DEAD 86

enum kind { NONE, EIO_, ENOSPC_, EDQUOT_, SHORT, CUT, BEFORE, AFTER };
enum call { WRITE, NAME, SYNC };
/* What is to happen with a call: an errno, or one of these. */
enum { GO = 0, HALF = -1, THEN_DIE = -2 };

struct file {
    ino_t ino;
    int content;         /* The durable octets, open; -1 without a shadow. */
    unsigned char *lost; /* A bit for each page that a failed sync left behind. */
};

struct name {
    char path[PATH_MAX]; /* Below the folder. */
    int now, durable;    /* Index of a file, or -1. */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char folder[PATH_MAX], shadow[PATH_MAX];
static size_t folder_len;
static dev_t device;
static const char *until, *no_sync;
static enum kind kind;
static unsigned long at, calls, chance_of_fault, keep;
static int trace, no_space_next, report = -1, dead;
static uint64_t state = 1;
static struct file files[FILES_MAX];
static struct name names[FILES_MAX];
static int files_count, names_count;

#define REAL(result, name, ...) \
    static result (*real_##name)(__VA_ARGS__)
REAL(int, open64, const char *, int, ...);
REAL(int, openat64, int, const char *, int, ...);
REAL(ssize_t, write, int, const void *, size_t);
REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t);
REAL(ssize_t, writev, int, const struct iovec *, int);
REAL(ssize_t, pwritev64, int, const struct iovec *, int, off64_t);
REAL(int, ftruncate64, int, off64_t);
REAL(int, fallocate64, int, int, off64_t, off64_t);
REAL(int, posix_fallocate64, int, off64_t, off64_t);
REAL(ssize_t, copy_file_range, int, off64_t *, int, off64_t *, size_t, unsigned);
REAL(int, fsync, int);
REAL(int, fdatasync, int);
REAL(int, sync_file_range, int, off64_t, off64_t, unsigned);
REAL(int, rename, const char *, const char *);
REAL(int, unlink, const char *);
REAL(int, linkat, int, const char *, int, const char *, int);

static void find_real(void) {
    if (real_unlink) return;
#define FIND(name) *(void **)&real_##name = dlsym(RTLD_NEXT, #name)
    FIND(open64); FIND(openat64); FIND(write); FIND(pwrite64); FIND(writev); FIND(pwritev64); FIND(ftruncate64);
    FIND(fallocate64); FIND(posix_fallocate64); FIND(copy_file_range); FIND(fsync); FIND(fdatasync);
    FIND(sync_file_range); FIND(rename); FIND(unlink); FIND(linkat);
}

static unsigned long number(const char *variable) {
    const char *text = getenv(variable);
    return text ? strtoul(text, NULL, 10) : 0;
}

/* xorshift64*, below 1000. */
static unsigned long draw(void) {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (unsigned long)((state * UINT64_C(0x2545F4914F6CDD1D)) >> 16) % 1000;
}

static int kept(void) { return draw() < keep; }

static void say(const char *format, ...) {
    char line[PATH_MAX + 128];
    va_list arguments;
    if (report < 0) return;
    va_start(arguments, format);
    int len = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (real_write(report, line, (size_t)len) < 0) _exit(DEAD + 1);
}

/* ---- files and names -------------------------------------------------------------------------------------------- */

/* Memory that two connections of SQLite share is no content. */
static int is_memory(const char *path) {
    size_t len = strlen(path);
    return len > 4 && strcmp(path + len - 4, "-shm") == 0;
}

static const char *below(const char *path) {
    if (!folder_len || strncmp(path, folder, folder_len) != 0 || path[folder_len] != '/') return NULL;
    return path + folder_len + 1;
}

/* The path of an open file below the folder ("" for the folder itself); NULL for any other file. */
static const char *path_of(int fd, char *buffer) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, buffer, PATH_MAX - 1);
    if (len <= 0) return NULL;
    buffer[len] = 0;
    if (strcmp(buffer, folder) == 0) return "";
    return below(buffer);
}

static struct name *name_at(const char *path) {
    for (int i = 0; i < names_count; i++)
        if (strcmp(names[i].path, path) == 0) return &names[i];
    if (names_count == FILES_MAX) _exit(DEAD + 1);
    struct name *name = &names[names_count++];
    snprintf(name->path, sizeof name->path, "%s", path);
    name->now = name->durable = -1;
    return name;
}

/* `shadowed`: what is no content has an entry too, because its inode may have been that of a file. */
static int add_file(ino_t ino, int shadowed) {
    if (files_count == FILES_MAX) _exit(DEAD + 1);
    struct file *file = &files[files_count];
    file->ino = ino;
    file->lost = NULL;
    file->content = -1;
    if (shadow[0] && shadowed) {
        char path[PATH_MAX + 64];
        snprintf(path, sizeof path, "%s/.content", shadow);
        mkdir(path, 0700);
        snprintf(path, sizeof path, "%s/.content/%d", shadow, files_count);
        file->content = real_open64(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (file->content < 0) _exit(DEAD + 1);
    }
    return files_count++;
}

/* The newest file of this inode: numbers of removed files come again. */
static int file_of(ino_t ino) {
    for (int i = files_count - 1; i >= 0; i--)
        if (files[i].ino == ino) return i;
    return -1;
}

/* Is the descriptor a file of the folder? Its index, or -1 for one without a name; its path either way. */
static int ours(int fd, const char **path, int *file, char *buffer) {
    struct stat status;
    if (!folder_len || fstat(fd, &status) != 0 || status.st_dev != device) return 0;
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return 0;
    *path = path_of(fd, buffer);
    if (!*path) return 0;
    *file = S_ISREG(status.st_mode) && status.st_nlink > 0 ? file_of(status.st_ino) : -1;
    return 1;
}

/* `whole` is longer than any path can be. */
static void join(char whole[PATH_MAX * 2], const char *first, const char *second) {
    if (snprintf(whole, PATH_MAX * 2, "%s/%s", first, second) >= PATH_MAX * 2) _exit(DEAD + 1);
}

static int is_lost(const unsigned char *lost, off64_t place) {
    off64_t page = place / PAGE;
    return lost && page < PAGES_MAX && (lost[page / 8] & 1 << page % 8);
}

/* The same file to read from: the caller's descriptor may be for writing only. */
static int again(int fd) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int reading = real_open64(link, O_RDONLY | O_CLOEXEC);
    if (reading < 0) _exit(DEAD + 1);
    return reading;
}

/* Without the pages that are lost. */
static void copy_all(int from, int to, const unsigned char *lost) {
    static char buffer[1 << 20];
    struct stat status;
    if (to < 0 || fstat(from, &status) != 0) return;
    if (real_ftruncate64(to, status.st_size) != 0) _exit(DEAD + 1);
    for (off64_t place = 0;;) {
        ssize_t len = pread64(from, buffer, sizeof buffer, place);
        if (len <= 0) return;
        for (off64_t end = place + len, start = place; start < end; start += PAGE) {
            size_t octets = (size_t)(end - start < PAGE ? end - start : PAGE);
            if (lost && is_lost(lost, start)) continue;
            if (!lost) octets = (size_t)len;
            if (real_pwrite64(to, buffer + (start - place), octets, start) != (ssize_t)octets) _exit(DEAD + 1);
            if (!lost) break;
        }
        place += len;
    }
}

/* Chance lets pieces of a write through to the device. */
static void leak(int file, const char *octets, size_t len, off64_t place) {
    if (file < 0 || files[file].content < 0) return;
    while (len > 0) {
        size_t piece = PIECE - (size_t)(place % PIECE);
        if (piece > len) piece = len;
        if (kept() && real_pwrite64(files[file].content, octets, piece, place) < 0) _exit(DEAD + 1);
        octets += piece;
        place += (off64_t)piece;
        len -= piece;
    }
}

/* A page that is written again is on its way again. */
static void find_again(int file, off64_t place, size_t len) {
    unsigned char *lost = file < 0 ? NULL : files[file].lost;
    for (off64_t page = place / PAGE; lost && page <= (place + (off64_t)len - 1) / PAGE && page < PAGES_MAX; page++)
        lost[page / 8] &= (unsigned char)~(1 << page % 8);
}

/* A failed sync: every page that differs stays behind. */
static void lose(int file, int fd) {
    static char now[PAGE], then[PAGE];
    if (file < 0 || files[file].content < 0) return;
    if (!files[file].lost) files[file].lost = calloc(PAGES_MAX / 8, 1);
    if (!files[file].lost) _exit(DEAD + 1);
    off64_t place = 0;
    int reading = again(fd);
    for (ssize_t len; (len = pread64(reading, now, PAGE, place)) > 0 && place / PAGE < PAGES_MAX; place += PAGE) {
        ssize_t had = pread64(files[file].content, then, PAGE, place);
        if (had < len || memcmp(now, then, (size_t)len) != 0)
            files[file].lost[place / PAGE / 8] |= (unsigned char)(1 << place / PAGE % 8);
    }
    close(reading);
}

static void sync_file(int file, int fd) {
    if (file < 0) return;
    int reading = again(fd);
    copy_all(reading, files[file].content, files[file].lost);
    close(reading);
    for (int i = 0; i < names_count; i++) {
        if (names[i].now == file) names[i].durable = file;
        else if (names[i].durable == file) names[i].durable = names[i].now;
    }
}

static void sync_folder(const char *path) {
    size_t len = strlen(path);
    for (int i = 0; i < names_count; i++) {
        const char *slash = strrchr(names[i].path, '/');
        size_t parent = slash ? (size_t)(slash - names[i].path) : 0;
        if (parent == len && strncmp(names[i].path, path, len) == 0) names[i].durable = names[i].now;
    }
}

static void set_name(const char *path, int file) {
    struct name *name = name_at(path);
    name->now = file;
    if (kept()) name->durable = file;
}

/* ---- the end ---------------------------------------------------------------------------------------------------- */

/* Pieces that differ were written without a sync; each of them has one more chance. */
static void leak_rest(const char *path, int file) {
    static char whole[PATH_MAX * 2], now[1 << 16], then[1 << 16];
    if (files[file].content < 0 || keep == 0) return;
    join(whole, folder, path);
    int fd = real_open64(whole, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    off64_t place = 0;
    for (ssize_t len; (len = pread64(fd, now, sizeof now, place)) > 0; place += len) {
        ssize_t had = pread64(files[file].content, then, sizeof then, place);
        for (ssize_t piece = 0; piece < len; piece += PIECE) {
            size_t octets = (size_t)(len - piece < PIECE ? len - piece : PIECE);
            int same = piece + (ssize_t)octets <= had && memcmp(now + piece, then + piece, octets) == 0;
            if (!same) leak(file, now + piece, octets, place + piece);
        }
    }
    close(fd);
}

static void materialise(void) {
    if (!shadow[0]) return;
    for (int i = 0; i < names_count; i++)
        if (names[i].now >= 0) leak_rest(names[i].path, names[i].now);
    for (int i = 0; i < names_count; i++) {
        static char path[PATH_MAX * 2];
        if (names[i].now != names[i].durable && kept()) names[i].durable = names[i].now;
        if (names[i].durable < 0) continue;
        join(path, shadow, names[i].path);
        for (char *slash = path + strlen(shadow) + 1; (slash = strchr(slash, '/')); slash++) {
            *slash = 0;
            mkdir(path, 0700);
            *slash = '/';
        }
        int fd = real_open64(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0) _exit(DEAD + 1);
        copy_all(files[names[i].durable].content, fd, NULL);
        close(fd);
    }
}

/* Called with the lock held, which nobody gets any more: no sync ends after this. */
static void die(void) {
    dead = 1;
    materialise();
    say("calls %lu\n", calls);
    _exit(DEAD);
}

__attribute__((destructor)) static void end(void) {
    if (!folder_len || dead) return;
    pthread_mutex_lock(&lock);
    dead = 1;
    materialise();
    say("calls %lu\n", calls);
}

/* ---- the beginning ---------------------------------------------------------------------------------------------- */

static void take_in(const char *prefix) {
    static char whole[PATH_MAX * 2];
    join(whole, folder, prefix);
    DIR *entries = opendir(whole);
    if (!entries) return;
    for (struct dirent *entry; (entry = readdir(entries));) {
        char path[PATH_MAX];
        struct stat status;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if ((size_t)snprintf(path, sizeof path, "%s%s%s", prefix, *prefix ? "/" : "", entry->d_name) >= sizeof path)
            _exit(DEAD + 1);
        join(whole, folder, path);
        if (lstat(whole, &status) != 0) continue;
        if (S_ISDIR(status.st_mode)) take_in(path);
        if (!S_ISREG(status.st_mode) || is_memory(path)) continue;
        int file = file_of(status.st_ino);
        if (file < 0) {
            file = add_file(status.st_ino, 1);
            int fd = real_open64(whole, O_RDONLY | O_CLOEXEC);
            if (fd < 0) _exit(DEAD + 1);
            copy_all(fd, files[file].content, NULL);
            close(fd);
        }
        struct name *name = name_at(path);
        name->now = name->durable = file;
    }
    closedir(entries);
}

__attribute__((constructor)) static void begin(void) {
    static const char *const words[] = {"", "eio", "enospc", "edquot", "short", "cut", "before", "after"};
    struct stat status;
    find_real();
    const char *given = getenv("FAULTS_FOLDER");
    if (!given || stat(given, &status) != 0) return;
    device = status.st_dev;
    snprintf(folder, sizeof folder, "%s", given);
    at = number("FAULTS_AT");
    chance_of_fault = number("FAULTS_CHANCE");
    keep = number("FAULTS_KEEP");
    no_sync = getenv("FAULTS_NO_SYNC");
    until = getenv("FAULTS_UNTIL");
    trace = getenv("FAULTS_TRACE") != NULL;
    state = (number("FAULTS_SEED") + 1) * UINT64_C(0x9E3779B97F4A7C15);
    const char *word = getenv("FAULTS_KIND");
    for (int i = 1; word && i <= AFTER; i++)
        if (strcmp(word, words[i]) == 0) kind = (enum kind)i;
    const char *told = getenv("FAULTS_REPORT");
    if (told) report = real_open64(told, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (getenv("FAULTS_SHADOW")) snprintf(shadow, sizeof shadow, "%s", getenv("FAULTS_SHADOW"));
    take_in("");
    /* The last thing: from here on calls are looked at. */
    folder_len = strlen(folder);
}

/* ---- what goes wrong -------------------------------------------------------------------------------------------- */

static int decide(enum call call, const char *what, const char *path) {
    calls++;
    if (trace) say("call %lu %s %s\n", calls, what, *path ? path : ".");
    if (no_space_next && call == WRITE) {
        no_space_next = 0;
        return ENOSPC;
    }
    int now;
    if (until) now = at && calls >= at && call != SYNC && access(until, F_OK) != 0;
    else if (chance_of_fault) now = draw() < chance_of_fault;
    else now = at && calls == at;
    if (!now || kind == NONE) return GO;
    say("fault %lu %s %s\n", calls, what, *path ? path : ".");
    switch (kind) {
    case ENOSPC_: return ENOSPC;
    case EDQUOT_: return EDQUOT;
    case CUT: no_space_next = call == WRITE; /* fall through */
    case SHORT: return call == WRITE ? HALF : EIO;
    case BEFORE: die(); /* fall through */
    case AFTER: return THEN_DIE;
    default: return EIO;
    }
}

struct seen {
    const char *path;
    int ours, file, verdict;
    char buffer[PATH_MAX];
};

/* Takes the lock when the file is one of ours; `done` gives it back. */
static void look(struct seen *seen, int fd, enum call call, const char *what) {
    find_real();
    seen->verdict = GO;
    seen->ours = folder_len && ours(fd, &seen->path, &seen->file, seen->buffer);
    if (!seen->ours) return;
    pthread_mutex_lock(&lock);
    seen->verdict = decide(call, what, seen->path);
}

static void done(struct seen *seen) {
    if (!seen->ours) return;
    int error = errno;
    if (seen->verdict == THEN_DIE) die();
    pthread_mutex_unlock(&lock);
    errno = error;
}

static ssize_t write_at(int fd, const void *octets, size_t len, off64_t place, int placed) {
    struct seen seen;
    look(&seen, fd, WRITE, "write");
    ssize_t written = -1;
    if (seen.verdict > 0) {
        errno = seen.verdict;
    } else {
        size_t part = seen.verdict == HALF ? len / 2 : len;
        off64_t start = placed ? place : lseek64(fd, 0, SEEK_CUR);
        written = placed ? real_pwrite64(fd, octets, part, place) : real_write(fd, octets, part);
        if (seen.ours && written > 0) {
            find_again(seen.file, start, (size_t)written);
            leak(seen.file, octets, (size_t)written, start);
        }
    }
    done(&seen);
    return written;
}

/* ---- the calls -------------------------------------------------------------------------------------------------- */

ssize_t write(int fd, const void *octets, size_t len) { return write_at(fd, octets, len, 0, 0); }
ssize_t pwrite64(int fd, const void *octets, size_t len, off64_t place) { return write_at(fd, octets, len, place, 1); }
ssize_t pwrite(int fd, const void *octets, size_t len, off_t place) { return write_at(fd, octets, len, place, 1); }

/* A vector is written by its first part: its callers go on after short writes, as they must. */
ssize_t writev(int fd, const struct iovec *parts, int count) {
    struct seen seen;
    find_real();
    if (count < 1 || !folder_len || !ours(fd, &seen.path, &seen.file, seen.buffer)) return real_writev(fd, parts, count);
    return write_at(fd, parts[0].iov_base, parts[0].iov_len, 0, 0);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t place) {
    struct seen seen;
    find_real();
    if (count < 1 || !folder_len || !ours(fd, &seen.path, &seen.file, seen.buffer))
        return real_pwritev64(fd, parts, count, place);
    return write_at(fd, parts[0].iov_base, parts[0].iov_len, place, 1);
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t place) { return pwritev64(fd, parts, count, place); }

/* What is written so becomes durable at the next sync, or by the last chance. */
ssize_t copy_file_range(int from, off64_t *from_place, int to, off64_t *to_place, size_t len, unsigned flags) {
    struct seen seen;
    look(&seen, to, WRITE, "copy");
    ssize_t copied = -1;
    if (seen.verdict > 0) errno = seen.verdict;
    else copied = real_copy_file_range(from, from_place, to, to_place, seen.verdict == HALF ? len / 2 : len, flags);
    done(&seen);
    return copied;
}

int ftruncate64(int fd, off64_t len) {
    struct seen seen;
    look(&seen, fd, NAME, "truncate");
    int result = -1;
    if (seen.verdict > 0) {
        errno = seen.verdict;
    } else {
        result = real_ftruncate64(fd, len);
        if (result == 0 && seen.ours && seen.file >= 0 && files[seen.file].content >= 0 && kept() &&
            real_ftruncate64(files[seen.file].content, len) != 0)
            _exit(DEAD + 1);
    }
    done(&seen);
    return result;
}
int ftruncate(int fd, off_t len) { return ftruncate64(fd, len); }

int fallocate64(int fd, int mode, off64_t place, off64_t len) {
    struct seen seen;
    look(&seen, fd, WRITE, "allocate");
    int result = -1;
    if (seen.verdict > 0 || seen.verdict == HALF) errno = seen.verdict == HALF ? ENOSPC : seen.verdict;
    else result = real_fallocate64(fd, mode, place, len);
    done(&seen);
    return result;
}
int fallocate(int fd, int mode, off_t place, off_t len) { return fallocate64(fd, mode, place, len); }

/* This one gives the error instead of setting it. */
int posix_fallocate64(int fd, off64_t place, off64_t len) {
    struct seen seen;
    look(&seen, fd, WRITE, "allocate");
    int result;
    if (seen.verdict > 0 || seen.verdict == HALF) result = seen.verdict == HALF ? ENOSPC : seen.verdict;
    else result = real_posix_fallocate64(fd, place, len);
    done(&seen);
    return result;
}
int posix_fallocate(int fd, off_t place, off_t len) { return posix_fallocate64(fd, place, len); }

static int sync_by(int fd, const char *what, int (*real)(int)) {
    struct seen seen;
    look(&seen, fd, SYNC, what);
    int result = -1;
    if (seen.verdict > 0 || seen.verdict == HALF) {
        lose(seen.file, fd);
        errno = seen.verdict == HALF ? EIO : seen.verdict;
    } else if (seen.ours && no_sync && strstr(seen.path, no_sync)) {
        result = 0;
    } else if (seen.ours && shadow[0]) {
        /* The shadow is the device. */
        if (seen.file >= 0) sync_file(seen.file, fd);
        else sync_folder(seen.path);
        result = 0;
    } else {
        if (seen.ours) pthread_mutex_unlock(&lock);
        result = real(fd);
        if (seen.ours) {
            int error = errno;
            pthread_mutex_lock(&lock);
            errno = error;
        }
    }
    done(&seen);
    return result;
}
int fsync(int fd) { find_real(); return sync_by(fd, "sync", real_fsync); }
int fdatasync(int fd) { find_real(); return sync_by(fd, "sync", real_fdatasync); }

/* Says nothing about durability: it flushes no metadata. */
int sync_file_range(int fd, off64_t place, off64_t len, unsigned flags) {
    struct seen seen;
    look(&seen, fd, SYNC, "sync-range");
    int result = -1;
    if (seen.verdict > 0) errno = seen.verdict;
    else result = seen.ours && no_sync && strstr(seen.path, no_sync) ? 0 : real_sync_file_range(fd, place, len, flags);
    done(&seen);
    return result;
}

static int open_at(int folder_fd, const char *path, int flags, mode_t mode) {
    find_real();
    const char *inside = (flags & O_CREAT) ? below(path) : NULL;
    if (!inside || faccessat(folder_fd, path, F_OK, 0) == 0) return real_openat64(folder_fd, path, flags, mode);
    pthread_mutex_lock(&lock);
    int verdict = decide(NAME, "create", inside), fd = -1;
    if (verdict > 0) {
        errno = verdict;
    } else {
        struct stat status;
        fd = real_openat64(folder_fd, path, flags, mode);
        if (fd >= 0 && fstat(fd, &status) == 0) {
            int file = add_file(status.st_ino, !is_memory(inside));
            if (!is_memory(inside)) set_name(inside, file);
        }
    }
    int error = errno;
    if (verdict == THEN_DIE) die();
    pthread_mutex_unlock(&lock);
    errno = error;
    return fd;
}

static mode_t mode_of(int flags, va_list arguments) {
    return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(arguments, mode_t) : 0;
}

#define OPEN(name, parameters, last, folder_fd) \
    int name parameters { \
        va_list arguments; \
        va_start(arguments, last); \
        mode_t mode = mode_of(last, arguments); \
        va_end(arguments); \
        return open_at(folder_fd, path, last, mode); \
    }
OPEN(open, (const char *path, int flags, ...), flags, AT_FDCWD)
OPEN(open64, (const char *path, int flags, ...), flags, AT_FDCWD)
OPEN(openat, (int folder_fd, const char *path, int flags, ...), flags, folder_fd)
OPEN(openat64, (int folder_fd, const char *path, int flags, ...), flags, folder_fd)
int creat(const char *path, mode_t mode) { return open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode); }

int unlink(const char *path) {
    find_real();
    const char *inside = below(path);
    if (!inside || is_memory(inside)) return real_unlink(path);
    pthread_mutex_lock(&lock);
    int verdict = decide(NAME, "unlink", inside), result = -1;
    if (verdict > 0) errno = verdict;
    else if ((result = real_unlink(path)) == 0) set_name(inside, -1);
    int error = errno;
    if (verdict == THEN_DIE) die();
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

int rename(const char *from, const char *to) {
    find_real();
    const char *old = below(from), *new = below(to);
    if (!old || !new) return real_rename(from, to);
    pthread_mutex_lock(&lock);
    int verdict = decide(NAME, "rename", new), result = -1;
    if (verdict > 0) {
        errno = verdict;
    } else if ((result = real_rename(from, to)) == 0) {
        /* One step: the new name is durable with the end of the old one. */
        struct name *source = name_at(old), *target = name_at(new);
        target->now = source->now;
        source->now = -1;
        if (kept()) {
            target->durable = target->now;
            source->durable = -1;
        }
    }
    int error = errno;
    if (verdict == THEN_DIE) die();
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

/* A second name of the same file. */
int linkat(int from_fd, const char *from, int to_fd, const char *to, int flags) {
    find_real();
    const char *inside = below(to);
    struct stat status;
    if (!inside) return real_linkat(from_fd, from, to_fd, to, flags);
    pthread_mutex_lock(&lock);
    int verdict = decide(NAME, "link", inside), result = -1;
    if (verdict > 0) errno = verdict;
    else if ((result = real_linkat(from_fd, from, to_fd, to, flags)) == 0 && stat(to, &status) == 0)
        set_name(inside, file_of(status.st_ino));
    int error = errno;
    if (verdict == THEN_DIE) die();
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}
