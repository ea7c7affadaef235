/** The addresses of everything that belongs to a job. */
export const jobLinks = (base: string, id: string) => ({
  status: `${base}/status/${id}`,
  job: `${base}/job/${id}`,
  logs: `${base}/logs/${id}`,
  events: `${base}/events/${id}`,
  download: `${base}/download/${id}`,
  files: `${base}/files/${id}/`,
  desktop: `${base}/desktop/${id}`,
  terminal: `${base}/terminal/${id}`,
  ports: `${base}/ports/${id}`,
  cancel: `${base}/cancel/${id}`,
});
