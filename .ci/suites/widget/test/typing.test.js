// Prices change while somebody fills in the form: what is typed stays as it is typed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, demo, site } from "../demo.js";
import { focused, hold, merchantShop, open, rewrite, says, showing } from "../page.js";

const euros = (cents) => (cents / 100).toFixed(2).replace(".", ",");
const asksPrices = ({ input }) => input.orders && !input.idempotencyKey;

test("no letter, no focus and no place in the text is lost to new prices", async () => {
  const shop = await merchantShop();
  const merchant = demo.tokens.merchant;
  const read = async () => (await ask(`{ shop(id: "${shop.id}") { products(first: 1) { nodes { id version variants { id } } } } }`, merchant)).shop.products.nodes[0];
  const product = await read();
  const variant = product.variants[0].id;

  const { page, complaints } = await open(null);
  await rewrite(page, showing(shop));
  await page.goto(site + "/");
  await page.press(`[id="a-${product.id}"]`, "Enter");
  await page.click("#basket");
  await page.waitForSelector("#send");
  const note = page.locator(`[id="note-${shop.id}"]`);
  let quantity = 1;

  /** Has the shop change its price and the visitor the quantity, goes to the note, and lets the new prices in while `act` goes on there. */
  async function while_(cents, act) {
    const { version } = await read();
    await ask(`mutation { setPrice(input: { variant: "${variant}", version: ${version}, priceCents: ${cents} }) { refusals { message } } }`, merchant);
    const prices = await hold(page, asksPrices);
    await page.locator(`[id="q-${variant}"]`).press("ArrowUp");
    quantity++;
    await note.focus();
    await page.keyboard.press("End");
    await prices.asked;
    await act(async () => {
      await prices.go();
      await says(page, euros(cents * quantity));
      assert.equal((await focused(page)).id, "note-" + shop.id);
    });
  }

  await while_(310, async (redraw) => {
    await page.keyboard.type("Bonj");
    await redraw();
    await page.keyboard.type("our, ");
  });
  await while_(320, async (redraw) => {
    const typed = page.keyboard.type("je viens à pied. ", { delay: 20 }); // at once
    await redraw();
    await typed;
  });
  assert.equal(await note.inputValue(), "Bonjour, je viens à pied. ");

  await while_(330, async (redraw) => {
    await page.keyboard.press("Home");
    await page.keyboard.down("Shift");
    for (let i = 0; i < 7; i++) await page.keyboard.press("ArrowRight");
    await page.keyboard.up("Shift");
    await redraw();
    assert.deepEqual(await note.evaluate(({ selectionStart, selectionEnd }) => [selectionStart, selectionEnd]), [0, 7], "what is chosen stays chosen");
    await page.keyboard.type("Demat");
  });

  // A letter that is made of two keys, as accents are on many keyboards.
  const keys = await page.context().newCDPSession(page);
  await while_(340, async (redraw) => {
    await keys.send("Input.imeSetComposition", { text: "`", selectionStart: 1, selectionEnd: 1 });
    await redraw();
    await keys.send("Input.imeSetComposition", { text: "à", selectionStart: 1, selectionEnd: 1 });
    await keys.send("Input.insertText", { text: "à" });
    await page.keyboard.type(" bientôt");
  });
  assert.equal(await note.inputValue(), "Demat, je viens à pied. à bientôt");

  // Prices that do not come are said above the form, which stays.
  await page.route("**/graphql", (route) => (route.request().method() === "POST" ? route.abort() : route.fallback()));
  await page.locator(`[id="q-${variant}"]`).press("ArrowUp");
  await note.focus();
  await page.waitForSelector("#retry");
  assert.equal((await focused(page)).id, "note-" + shop.id);
  await page.keyboard.press("End");
  await page.keyboard.type("!");
  await page.unroute("**/graphql");
  await page.click("#retry");
  await page.waitForSelector("#retry", { state: "detached" });
  assert.equal(await note.inputValue(), "Demat, je viens à pied. à bientôt!");
  assert.equal(await page.locator(`[id="q-${variant}"]`).inputValue(), String(quantity + 1));
  assert.deepEqual(complaints.filter((text) => !/ERR_FAILED/.test(text)), []);
});
