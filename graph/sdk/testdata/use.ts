// What a storefront does with the types: compiled by tsc --strict, never run.
import type { Operations, OrderStatus, Node, PlaceOrdersInput, Shop, QueryShopsArgs } from "./halles";

async function ask<K extends keyof Operations>(hash: Operations[K]["hash"], variables: Operations[K]["variables"]): Promise<Operations[K]["data"]> {
  const response = await fetch(`/graphql?${new URLSearchParams({ documentId: hash, variables: JSON.stringify(variables) })}`);
  return (await response.json()).data;
}

export async function names(hash: Operations["Shops"]["hash"]): Promise<string[]> {
  const data = await ask<"Shops">(hash, { first: 10, orderBy: "DISTANCE", near: { latitude: 47.75, longitude: -3.36 } });
  const metres: (number | null)[] = data.shops.edges.map((edge) => edge.distanceMetres);
  return data.shops.edges.map((edge) => `${edge.node.name} ${metres.length}`);
}

export const input: PlaceOrdersInput = {
  idempotencyKey: "0123456789abcdef",
  orders: [{ shop: "x", mode: "PICKUP", lines: [{ variant: "x", quantity: 1 }] }],
};

export function word(status: OrderStatus): string {
  return status === "READY" ? "prête" : status.toLowerCase();
}

export function shown(node: Node): string {
  return node.__typename === "Shop" ? node.name : node.id;
}

export const args: QueryShopsArgs = { first: 1 };
export type Phone = Shop["contact"]["phone"]; // string | null
export const phone: Phone = null;

// @ts-expect-error a status that there is not
word("SHIPPED");
// @ts-expect-error first is required
export const without: QueryShopsArgs = {};
// @ts-expect-error what may be null must be looked at
export const length = (shop: Shop): number => shop.contact.phone.length;
// @ts-expect-error a field that the document does not ask for
export const description = (data: Operations["Shops"]["data"]) => data.shops.edges[0]?.node.description;
// @ts-expect-error another document's hash
export const other = ask<"Shops">("0000000000000000000000000000000000000000000000000000000000000000", { first: 1 });
