import { z } from 'zod';
import { wordsOf } from './words-of.ts';

interface ErrorEntry {
  /** The HTTP status that a request answered with this code gets; 500 for what only a job can end with. */
  status: number;
  title: string;
  /** What the reader can do about it; a place where the error is made may give a better one. */
  hint: string;
}

/**
 * Every error code that a client can meet: in an answer, in a job's `error`, or in an event.
 * docs/errors.md is generated from this table.
 */
export const ERRORS = {
  // Requests
  MALFORMED_REQUEST: {
    status: 400,
    title: 'The request could not be read',
    hint: 'Send valid HTTP with a JSON body in UTF-8.',
  },
  MALFORMED_JSON: {
    status: 400,
    title: 'The body is not valid JSON',
    hint: 'Send one JSON object in UTF-8, each member named once.',
  },
  INVALID_ID: {
    status: 400,
    title: 'The id is ill-formed',
    hint: 'Use the job_id that POST /schedule returned: 22 lower-case letters and digits.',
  },
  INVALID_PATH: {
    status: 400,
    title: 'The path leads out of the workspace',
    hint: 'Use a path relative to the workspace, without "..".',
  },
  INVALID_REQUEST: {
    status: 422,
    title: 'The request does not fit its schema',
    hint: 'Mend the members that "errors" lists; GET /docs shows the schema.',
  },
  UNAUTHORIZED: {
    status: 401,
    title: 'A valid API key is needed',
    hint: 'Send "Authorization: Bearer KEY" with one of the keys in the server\'s API_KEYS.',
  },
  FORBIDDEN: { status: 403, title: 'That is not allowed', hint: 'Ask whoever runs the server.' },
  NOT_FOUND: { status: 404, title: 'There is nothing at this address', hint: 'GET /docs lists every call.' },
  STEP_NOT_FOUND: {
    status: 404,
    title: 'The job has no such step',
    hint: 'Steps are numbered from 1, and only those of agent llm are kept; GET /job/:id tells how many there are.',
  },
  JOB_NOT_FOUND: {
    status: 404,
    title: 'There is no such job',
    hint: 'GET /jobs lists the jobs there are; ended ones go after the retention time.',
  },
  SANDBOX_NOT_FOUND: {
    status: 404,
    title: 'There is no such sandbox',
    hint: 'GET /sandboxes lists those there are; with ?all=1 those that have ended, too.',
  },
  FILE_NOT_FOUND: {
    status: 404,
    title: 'There is no such file',
    hint: 'GET /files/:id/ lists what there is.',
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    title: 'This address does not take that method',
    hint: 'The Allow header lists the methods it takes.',
  },
  NOT_ACCEPTABLE: {
    status: 406,
    title: 'The answer has no such form',
    hint: 'Ask for one of the types that GET /docs names for this call.',
  },
  REQUEST_TIMEOUT: {
    status: 408,
    title: 'The request took too long to arrive',
    hint: 'Send the whole request without pausing; large input files go as multipart/form-data.',
  },
  JOB_ENDED: {
    status: 409,
    title: 'The job has already ended',
    hint: 'What a job ended as never changes; schedule a new one.',
  },
  JOB_NOT_PAUSED: {
    status: 409,
    title: 'The job is not paused',
    hint: 'GET /status/:id tells what it is doing.',
  },
  CONTROL_TAKEN: {
    status: 409,
    title: 'Somebody else has control of the desktop',
    hint: 'Watch, and ask again when it is given back or has expired; GET /desktop/:id/control says who has it.',
  },
  SANDBOX_NOT_LIVE: {
    status: 409,
    title: 'The job has no live sandbox now',
    hint: 'Wait until the job runs; after its end GET /files and GET /download serve the kept output.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    status: 409,
    title: 'The Idempotency-Key was used with another body',
    hint: 'Use a new key for a new request.',
  },
  OUTPUT_NOT_READY: {
    status: 409,
    title: 'The job has no output yet',
    hint: 'Wait until GET /status/:id has a download_link.',
  },
  OUTPUT_EXPIRED: {
    status: 410,
    title: 'The output has been removed',
    hint: 'It was kept for the retention time; schedule the job again.',
  },
  IMAGE_NOT_FOUND: {
    status: 404,
    title: 'The job has no such image',
    hint: "Use an id as a tool.result of the job's events names it.",
  },
  IMAGE_EXPIRED: {
    status: 410,
    title: 'The image has been removed',
    hint: 'It was kept for the retention time; schedule the job again.',
  },
  NO_OUTPUT: {
    status: 404,
    title: 'The job left no output',
    hint: 'It ended before it had a workspace; its error and logs say why.',
  },
  BODY_TOO_LARGE: {
    status: 413,
    title: 'The body is too large',
    hint: 'Send large input files as multipart/form-data, or fetch them inside the sandbox.',
  },
  URI_TOO_LONG: { status: 414, title: 'The address is too long', hint: 'Put long values into the body.' },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    title: 'The body has an unsupported type',
    hint: 'Send application/json.',
  },
  RANGE_NOT_SATISFIABLE: {
    status: 416,
    title: 'The range lies outside of the content',
    hint: 'Ask for a range within the length that Content-Range names.',
  },
  RATE_LIMITED: {
    status: 429,
    title: 'Too many requests',
    hint: 'Wait for as many seconds as Retry-After says.',
  },
  TOO_MANY_SANDBOXES: {
    status: 429,
    title: 'There are as many sandboxes as there may be',
    hint: 'End one that is not needed (DELETE /sandboxes/:id), or let the operator raise MAX_SANDBOXES.',
  },
  QUEUE_FULL: {
    status: 429,
    title: 'Too many jobs are waiting',
    hint: 'Try again when some have ended, or raise MAX_QUEUED_JOBS.',
  },
  HEADERS_TOO_LARGE: {
    status: 431,
    title: 'The headers are too large',
    hint: 'Send fewer or shorter headers.',
  },
  INTERNAL: {
    status: 500,
    title: 'The server met a fault of its own',
    hint: "The server's log has the details under the same request or job id; please report it.",
  },
  STORE_UNAVAILABLE: {
    status: 503,
    title: 'The database cannot be reached',
    hint: 'Try again shortly; GET /readyz tells more.',
  },

  // Jobs that cannot be taken
  MODEL_NOT_CONFIGURED: {
    status: 422,
    title: 'No model is configured, and the prompt has no block to run',
    hint: "Set MODEL=provider/name and the provider's key, for example ANTHROPIC_API_KEY; or send a runbook: Markdown with ```bash blocks.",
  },
  MODEL_UNKNOWN: {
    status: 422,
    title: 'The model is unknown',
    hint: 'Use provider/name with a provider of anthropic, openai, google or openai-compatible.',
  },
  RUNBOOK_EMPTY: {
    status: 422,
    title: 'The runbook has no block to run',
    hint: 'Put the commands into fenced blocks marked bash, sh, python, typescript, javascript or gui.',
  },
  LIMIT_ABOVE_CEILING: {
    status: 422,
    title: "A limit is above the operator's ceiling",
    hint: "Ask for less, or raise the ceiling in the server's settings.",
  },
  PRIVILEGES_NOT_ALLOWED: {
    status: 422,
    title: "Root is not allowed inside this engine's sandboxes",
    hint: 'Use "user", or let the operator set ALLOW_ROOT=true.',
  },

  // Ends of jobs
  QUEUE_TIMEOUT: {
    status: 500,
    title: 'No worker took the job in time',
    hint: 'See GET /readyz for what the workers lack; QUEUE_TIMEOUT_S sets the limit.',
  },
  JOB_TIMEOUT: {
    status: 500,
    title: 'The job ran out of time',
    hint: 'Raise limits.timeout_s, or give it less to do.',
  },
  ANSWER_TIMEOUT: {
    status: 500,
    title: 'The job waited too long for an answer',
    hint: 'Answer with POST /message/:id in time; WAITING_TIMEOUT_S sets the limit.',
  },
  WORKER_LOST: {
    status: 500,
    title: 'Every worker that took the job was lost',
    hint: "See the workers' logs; the job may be what brings them down.",
  },
  ENGINE_UNAVAILABLE: {
    status: 503,
    title: 'The sandbox engine does not answer',
    hint: 'Start it; npm run doctor tells what is missing.',
  },
  SNAPSHOT_MISSING: {
    status: 410,
    title: 'There is no such snapshot',
    hint: 'It was removed, or belongs to another engine; take another one, or start from the image.',
  },
  IMAGE_MISSING: {
    status: 503,
    title: 'The sandbox image is missing',
    hint: 'Make it: npm start does so, or set SANDBOX_IMAGE.',
  },
  SANDBOX_START_FAILED: {
    status: 500,
    title: 'The sandbox could not be started',
    hint: "The message has the engine's words; npm run doctor checks the set-up.",
  },
  SANDBOX_LOST: {
    status: 500,
    title: 'The sandbox was lost',
    hint: "The engine removed it or it ran out of memory; raise limits.memory_mb, or see the engine's log.",
  },
  DISK_LIMIT: {
    status: 500,
    title: 'The sandbox used more disk than it may',
    hint: 'Raise limits.disk_mb, or write less.',
  },
  INPUT_FAILED: {
    status: 500,
    title: 'The input could not be put into the workspace',
    hint: 'The message names the file.',
  },
  GIT_CLONE_FAILED: {
    status: 500,
    title: 'The repository could not be cloned',
    hint: "Check the URL, the ref and the network policy; the log has git's words.",
  },
  RUNBOOK_BLOCK_FAILED: {
    status: 500,
    title: 'A block of the runbook failed',
    hint: 'The log has what it printed.',
  },
  AGENT_GAVE_UP: {
    status: 500,
    title: 'The agent said that it could not do it',
    hint: 'The message has its reason.',
  },
  STEP_LIMIT: {
    status: 500,
    title: 'The agent used all of its steps',
    hint: 'Raise limits.max_steps, or split the task.',
  },
  TOKEN_LIMIT: {
    status: 500,
    title: 'The agent used all of its tokens',
    hint: 'Raise limits.max_tokens, or split the task.',
  },
  COST_LIMIT: {
    status: 500,
    title: 'The agent used all of its money',
    hint: 'Raise limits.max_cost_usd, or split the task.',
  },
  LOOP_DETECTED: {
    status: 500,
    title: 'The agent went in circles',
    hint: 'It made the same call again and again; make the task clearer or use a stronger model.',
  },
  CONTEXT_OVERFLOW: {
    status: 500,
    title: "The conversation no longer fits the model's window",
    hint: 'Use a model with a larger window or split the task.',
  },
  MODEL_AUTH_FAILED: {
    status: 500,
    title: "The model's provider refused the key",
    hint: "Check the provider's key in the server's settings.",
  },
  MODEL_REJECTED: {
    status: 500,
    title: "The model's provider refused the request",
    hint: "The message has the provider's words.",
  },
  MODEL_UNAVAILABLE: {
    status: 500,
    title: 'The model could not be reached',
    hint: 'All retries failed; try again later or use another provider.',
  },
  MODEL_ANSWER_INVALID: {
    status: 500,
    title: 'The model gave no usable answer',
    hint: 'It answered with neither text nor a valid tool call; use a stronger model.',
  },

  // Calls into a sandbox
  INVALID_ARGUMENT: { status: 422, title: 'An argument of the call is wrong', hint: 'The message names it.' },
  PATH_NOT_FOUND: {
    status: 404,
    title: 'There is no such path in the sandbox',
    hint: 'List the folder to see what there is.',
  },
  PATH_EXISTS: {
    status: 409,
    title: 'The path exists already',
    hint: 'Remove it first or use another name.',
  },
  IS_A_DIRECTORY: { status: 409, title: 'The path is a folder', hint: 'Name a file.' },
  NOT_A_DIRECTORY: { status: 409, title: 'The path is not a folder', hint: 'Name a folder.' },
  NOT_A_FILE: {
    status: 409,
    title: 'The path is not a regular file',
    hint: 'Pipes, sockets and devices cannot be read as files.',
  },
  PERMISSION_DENIED: {
    status: 403,
    title: "The sandbox's user may not do that",
    hint: 'Work below /workspace, /tmp or the home folder.',
  },
  NO_SPACE: {
    status: 507,
    title: "The sandbox's disk is full",
    hint: 'Remove something, or raise limits.disk_mb.',
  },
  COMMAND_NOT_FOUND: {
    status: 404,
    title: 'There is no such program in the sandbox',
    hint: 'Check its name, or install it.',
  },
  PROCESS_NOT_FOUND: {
    status: 404,
    title: 'There is no such process',
    hint: 'It has ended and been forgotten, or was never started.',
  },
  TOO_MANY_PROCESSES: {
    status: 429,
    title: "The sandbox's process limit is reached",
    hint: 'End some processes, or raise limits.pids.',
  },
  WINDOW_NOT_FOUND: {
    status: 404,
    title: "There is no such window on the sandbox's desktop",
    hint: 'List the windows: the message names those there are.',
  },
  PROGRAM_FAILED: {
    status: 500,
    title: 'The program ended without showing a window',
    hint: 'The message has what it said; mend the command, or install what it lacks.',
  },
  DESKTOP_FAILED: {
    status: 500,
    title: "The sandbox's desktop failed",
    hint: 'It is started anew when it is used next; if it fails again, raise limits.memory_mb and limits.pids.',
  },
  WATCH_TOO_LARGE: {
    status: 409,
    title: 'There is too much to watch',
    hint: 'Watch a smaller folder, exclude more of it, or end another watch.',
  },
  PORT_NOT_OPEN: {
    status: 502,
    title: 'Nothing listens on that port of the sandbox',
    hint: 'Start the program first, listening on localhost; GET /ports/:id lists the open ports.',
  },
  KERNEL_UNKNOWN: {
    status: 404,
    title: 'There is no such kernel',
    hint: 'The list of kernels names those that run, and the kinds that the image has.',
  },
  KERNEL_START_FAILED: {
    status: 500,
    title: 'The kernel did not start',
    hint: 'Look at its last words; raise limits.memory_mb or limits.pids if it lacked either.',
  },
  KERNEL_EXCEPTION: {
    status: 500,
    title: 'The code threw an exception',
    hint: 'Read the traceback; the state of the kernel is kept.',
  },
  KERNEL_INPUT_REFUSED: {
    status: 500,
    title: 'The code asked for input',
    hint: 'Nobody can type into a kernel: pass values in the code, in variables or in files.',
  },
  KERNEL_TIMEOUT: {
    status: 500,
    title: 'The code ran longer than its timeout',
    hint: 'Give it more time, or make it do less at once.',
  },
  KERNEL_INTERRUPTED: {
    status: 500,
    title: 'The code was interrupted',
    hint: 'Run it again if it is still wanted.',
  },
  KERNEL_OUT_OF_MEMORY: {
    status: 500,
    title: 'The kernel ran out of memory',
    hint: 'Work on less at once or raise limits.memory_mb; the next run has a new kernel without the old state.',
  },
  KERNEL_DIED: {
    status: 500,
    title: 'The process of the kernel ended',
    hint: 'The next run has a new kernel without the old state.',
  },
  CONNECTION_LOST: {
    status: 503,
    title: 'The connection to the sandbox was cut',
    hint: 'Whether the call took effect is not known; look before you repeat it.',
  },

  // Egress
  EGRESS_DENIED: {
    status: 403,
    title: 'The network policy does not allow this connection',
    hint: "The rule is named; change the job's network policy to allow it.",
  },
  EGRESS_FAILED: {
    status: 502,
    title: 'The other side could not be reached',
    hint: 'The address was allowed, but it did not answer.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;
export const ErrorCode = z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]);

export interface Fault {
  /** Where, as a path of member names: `limits.cpus`. */
  path: string;
  message: string;
}

/** An error that a person or a program may be told: it has a code of the registry and says what to do. */
export class CodedError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;
  /** One entry for each fault of a request that does not fit its schema. */
  readonly faults: Fault[] | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string; faults?: Fault[]; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'CodedError';
    this.code = code;
    this.hint = options.hint ?? ERRORS[code].hint;
    this.faults = options.faults;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }
}

/** How an error stands in a job, an event, or a sandbox call's last word. */
export const ErrorInfo = z
  .object({ code: ErrorCode, message: z.string().max(10_000), hint: z.string().max(2_000) })
  .meta({ id: 'ErrorInfo', description: 'Why a job ended as it did, and what to do about it.' });
export type ErrorInfo = z.infer<typeof ErrorInfo>;

/** Any thrown value as {@link ErrorInfo}: what has no code of its own becomes INTERNAL. */
export function toErrorInfo(error: unknown): ErrorInfo {
  const { code, message, hint } =
    error instanceof CodedError ? error : new CodedError('INTERNAL', wordsOf(error));
  return { code, message: message.slice(0, 10_000), hint: hint.slice(0, 2_000) };
}
