/** Most bytes in one row of a log: bounds what a read holds in memory at once. */
export const MAX_CHUNK_BYTES = 256 * 1024;
/** How much of the end of a log that passed its cap is kept. */
export const TAIL_BYTES = 2 ** 20;
/** How much of a log is read at once. */
export const PAGE_BYTES = 2 ** 20;
