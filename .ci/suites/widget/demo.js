// What the tests share: the demo, the browser, and axe.
import { readFileSync } from "node:fs";
import { accessSync, constants } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";

export const demo = JSON.parse(readFileSync(process.env.HALLES_DEMO));
export const api = demo.url.replace(/\/$/, "");
export const site = demo.site.replace(/\/$/, "");

export const browserPath = ["chromium", "chromium-browser", "google-chrome"]
  .flatMap((name) => process.env.PATH.split(delimiter).map((folder) => join(folder, name)))
  .find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

// A page whose answer a test rewrites is taken for one of the internet, which may not reach this machine.
const args = ["--no-sandbox", "--disable-gpu", "--test-third-party-cookie-phaseout", "--disable-features=LocalNetworkAccessChecks"];

export const launch = () => chromium.launch({ executablePath: browserPath, args });

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe finds wrong, in words; within the widgets alone where the page around them is not ours to judge. */
export async function axe(page, within) {
  await page.evaluate(axeSource);
  const violations = await page.evaluate(
    async (within) => (await globalThis.axe.run(within ?? document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })).violations,
    within,
  );
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id} ${JSON.stringify(target)} ${failureSummary.replaceAll("\n", " ")}`));
}

/** Asks the API as a merchant of all shops of the commune would, by their tokens. */
export async function ask(query, token) {
  const answer = await fetch(api + "/graphql", {
    method: "POST",
    headers: { "Content-Type": "application/json", ...(token && { Authorization: "Bearer " + token }) },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = await answer.json();
  if (errors) throw new Error(errors[0].message);
  return data;
}
