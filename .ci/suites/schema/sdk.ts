// Compiled, not run: that /sdk/halles.d.ts, which storefronts download, says what the schema says.
import type { OrderStatus, Query, Shop } from './halles';

export const over: OrderStatus[] = ['COLLECTED', 'DELIVERED', 'REJECTED', 'CANCELLED', 'NO_SHOW'];
// @ts-expect-error no such status
export const never: OrderStatus = 'FINISHED';

export function town(query: Query): string {
  // @ts-expect-error a commune may be missing
  const careless = query.commune.name;
  return query.commune?.name ?? careless;
}

export const website = (shop: Shop): string => shop.contact?.website ?? '';
