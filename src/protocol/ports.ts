import { z } from 'zod';

/** The calls about ports that programs inside a sandbox listen on. */
export const PORT_CALLS = { open: '/v1/port/open', list: '/v1/port/list' } as const;

export const Port = z.int().min(1).max(65_535);

/** Connects to a port of loopback: a tunnel, see tunnel.ts. */
export const PortOpen = z.object({ port: Port });

export const ListeningPort = z.object({
  port: Port,
  /** As the program asked for it: `0.0.0.0` and `::` are every address, which in a sandbox is loopback too. */
  address: z.string().max(45),
  /** Null where the process cannot be told: it belongs to another user, say. */
  pid: z.int().nullable(),
  /** Its command line, cut at 200 characters. */
  command: z.string().max(200).nullable(),
});
export type ListeningPort = z.infer<typeof ListeningPort>;
/** In order of the ports, each once; without sandboxd's own. */
export const PortList = z.object({ ports: z.array(ListeningPort).max(10_000) });

/** A port of a job's sandbox, as an address names it. */
export interface PortAddress {
  id: string;
  port: number;
}

/**
 * Where a browser reaches a port, with a slash at the end.
 * @param base where the API is reached: its scheme and port count
 * @param domain below which each port has a host name of its own
 */
export function portUrl(base: string, domain: string, { id, port }: PortAddress): string {
  const url = new URL(base);
  url.hostname = `${port}-${id}.${domain}`;
  return `${url.origin}/`;
}
