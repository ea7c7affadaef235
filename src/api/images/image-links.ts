import type { JobEvent } from '../../protocol/events.ts';

/** The address of an image that an event of the job names. */
const imageLink = (base: string, jobId: string, image: string): string => `${base}/images/${jobId}/${image}`;

/** The event as the API tells it: the images that it names with their addresses. */
export function withImageLinks(event: JobEvent, base: string, jobId: string): JobEvent {
  if (event.type !== 'tool.result' || !event.data.images) return event;
  const images = event.data.images.map((image) => ({ ...image, link: imageLink(base, jobId, image.id) }));
  return { ...event, data: { ...event.data, images } };
}
