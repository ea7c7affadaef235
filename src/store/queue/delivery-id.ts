/** One handing-out of an entry of the queue, as pg-boss tells them apart. */
export interface Attempt {
  id: string;
  retryCount: number;
}

const PATTERN = /^([0-9a-f-]{36}):(\d+)$/;

export const toDeliveryId = ({ id, retryCount }: Attempt): string => `${id}:${retryCount}`;

/** @throws when it is not what {@link toDeliveryId} made. */
export function parseDeliveryId(deliveryId: string): Attempt {
  const [, id, retryCount] = PATTERN.exec(deliveryId) ?? [];
  if (!id) throw new Error(`expected the id of a delivery; found ${JSON.stringify(deliveryId)}`);
  return { id, retryCount: Number(retryCount) };
}
