// A small badge: how many shops are open now, or whether one is.

import { h, type Child } from "./dom";
import type { View } from "./frame";
import { doorOf } from "./parts";
import { Trouble } from "./site";

export function badgeView(shop: string | null): View {
  return async ({ w, site }): Promise<Child> => {
    if (shop) {
      const { shop: found } = await site.get("WidgetStatus", { shop });
      if (!found) throw new Trouble("NOT_FOUND");
      return doorOf(w, found.service);
    }
    const { commune } = await site.get("WidgetOpenNow", { commune: site.commune });
    const n = commune!.shops.totalCount;
    return h("p", { class: n ? "door open" : "door" }, w.t("openShops", { n }));
  };
}
