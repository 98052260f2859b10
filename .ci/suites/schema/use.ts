// Compiled, not run: that the generated types say what the schema says.
import type { BuyMutation, FollowSubscription, TownQuery, TownQueryVariables } from './generated/operations';

export const variables: TownQueryVariables = { slug: 'lorient' };
// @ts-expect-error slug is required
export const missing: TownQueryVariables = {};

export function heading(town: TownQuery): string {
  // @ts-expect-error a commune may be missing
  const careless = town.commune.name;
  return town.commune ? `${town.commune.name}: ${town.commune.shops.totalCount} boutiques` : careless;
}

export function refusals(answer: BuyMutation): string[] {
  return answer.placeOrders.results.flatMap((r) => r.refusals.map((no) => `${no.code}: ${no.message}`));
}

export function isOver(event: FollowSubscription): boolean {
  const { status } = event.orderUpdated;
  // @ts-expect-error no such status
  if (status === 'FINISHED') return true;
  return status === 'COLLECTED' || status === 'DELIVERED' || status === 'CANCELLED' || status === 'REJECTED' || status === 'NO_SHOW';
}
