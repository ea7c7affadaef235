/** The addresses of everything that belongs to a job. */
export const jobLinks = (base: string, id: string) => ({
  status: `${base}/status/${id}`,
  job: `${base}/job/${id}`,
  logs: `${base}/logs/${id}`,
  events: `${base}/events/${id}`,
  download: `${base}/download/${id}`,
  files: `${base}/files/${id}/`,
  cancel: `${base}/cancel/${id}`,
});
