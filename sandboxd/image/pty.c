/*
 * pty ROWS COLUMNS PROGRAM [ARGUMENT...]: runs a program on a terminal of its own and carries it over pipes.
 * stdin: messages of a type, two bytes of length (big-endian) and a payload: 'd' what is typed, 'r' the terminal's
 * new rows and columns, two bytes each. stdout: what the terminal shows. Its end is the program's end: same code,
 * same signal. The end of stdin hangs the terminal up.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HEADER = 3, MAX_PAYLOAD = 65535, SCREEN = 65536 };

struct buffer {
  unsigned char bytes[SCREEN + HEADER];
  size_t start, end;
};

static struct buffer typed; /* messages, as they came */
static struct buffer keys;  /* what the program has not read yet */
static struct buffer shown; /* what nobody has taken yet */

static int is_empty(const struct buffer *b) { return b->start == b->end; }

/* Returns 0 at the end of the file or a fault, 1 otherwise. */
static int fill(struct buffer *b, int fd) {
  if (b->start > 0) {
    memmove(b->bytes, b->bytes + b->start, b->end - b->start);
    b->end -= b->start;
    b->start = 0;
  }
  ssize_t n = read(fd, b->bytes + b->end, sizeof b->bytes - b->end);
  if (n > 0) b->end += (size_t)n;
  return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static int drain(struct buffer *b, int fd) {
  ssize_t n = write(fd, b->bytes + b->start, b->end - b->start);
  if (n > 0) b->start += (size_t)n;
  return n >= 0 || errno == EAGAIN || errno == EINTR;
}

/* Takes whole messages as long as what was typed before has been read. */
static void take_messages(int terminal) {
  while (is_empty(&keys) && typed.end - typed.start >= HEADER) {
    const unsigned char *message = typed.bytes + typed.start;
    size_t length = (size_t)message[1] << 8 | message[2];
    if (typed.end - typed.start < HEADER + length) return;
    const unsigned char *payload = message + HEADER;
    if (message[0] == 'd') {
      memcpy(keys.bytes, payload, length);
      keys.start = 0;
      keys.end = length;
    } else if (message[0] == 'r' && length == 4) {
      struct winsize size = {.ws_row = (unsigned short)(payload[0] << 8 | payload[1]),
                             .ws_col = (unsigned short)(payload[2] << 8 | payload[3])};
      ioctl(terminal, TIOCSWINSZ, &size);
    }
    typed.start += HEADER + length;
  }
}

static void end_as(int status) {
  if (WIFEXITED(status)) exit(WEXITSTATUS(status));
  signal(WTERMSIG(status), SIG_DFL);
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_UNBLOCK, &all, NULL);
  raise(WTERMSIG(status));
  exit(128 + WTERMSIG(status));
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  struct winsize size = {.ws_row = (unsigned short)atoi(argv[1]), .ws_col = (unsigned short)atoi(argv[2])};
  sigset_t child_ends, before;
  sigemptyset(&child_ends);
  sigaddset(&child_ends, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child_ends, &before);
  int terminal;
  pid_t child = forkpty(&terminal, NULL, NULL, &size);
  if (child < 0) {
    perror("pty");
    return 126;
  }
  if (child == 0) {
    sigprocmask(SIG_SETMASK, &before, NULL);
    execvp(argv[3], argv + 3);
    fprintf(stderr, "%s: %s\r\n", argv[3], strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
  }
  int ends = signalfd(-1, &child_ends, SFD_CLOEXEC);
  signal(SIGPIPE, SIG_IGN);
  fcntl(terminal, F_SETFL, O_NONBLOCK);
  fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
  fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK);

  int status = 0, over = 0, hung_up = 0;
  /* What has been shown by the program's end is still handed on; what its own children show later is not. */
  while (!over || !is_empty(&shown)) {
    short terminal_events = 0;
    if (is_empty(&shown) && !over) terminal_events |= POLLIN;
    if (!is_empty(&keys)) terminal_events |= POLLOUT;
    int room = typed.end - typed.start < sizeof typed.bytes && is_empty(&keys);
    struct pollfd polled[] = {
        {.fd = hung_up || !room || over ? -1 : STDIN_FILENO, .events = POLLIN},
        {.fd = is_empty(&shown) ? -1 : STDOUT_FILENO, .events = POLLOUT},
        {.fd = terminal_events ? terminal : -1, .events = terminal_events},
        {.fd = over ? -1 : ends, .events = POLLIN},
    };
    if (poll(polled, 4, -1) < 0 && errno != EINTR) break;
    if (polled[0].revents && !fill(&typed, STDIN_FILENO)) {
      hung_up = 1;
      kill(-child, SIGHUP);
      kill(-child, SIGCONT);
    }
    take_messages(terminal);
    if (polled[1].revents && !drain(&shown, STDOUT_FILENO)) break;
    if (polled[2].revents & (POLLIN | POLLHUP) && is_empty(&shown) && !fill(&shown, terminal) && !over) {
      /* Every program has closed the terminal: nothing but the end can follow. */
      waitpid(child, &status, 0);
      over = 1;
    }
    if (polled[2].revents & POLLOUT && !drain(&keys, terminal)) keys.start = keys.end;
    take_messages(terminal);
    if (!over && waitpid(child, &status, WNOHANG) == child) {
      over = 1;
      fill(&shown, terminal);
    }
  }
  end_as(status);
}
