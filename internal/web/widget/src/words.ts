// The words of a language, and how it writes prices, times and plurals.

import type fr from "./lang/fr.json";
import { codes, french, integrity } from "words"; // the bundler's: names in the sources become numbers

export type Word = keyof typeof fr;
export type Values = Record<string, string | number>;

const zone = "Europe/Paris";

export class Words {
  private readonly locales: string[];
  // Made when they are first needed, and once: to make one costs more than all that a list draws.
  private price_?: Intl.NumberFormat;
  private plural?: Intl.PluralRules;
  private readonly dates = new Map<string, Intl.DateTimeFormat>();

  constructor(readonly lang: string, private readonly list: readonly string[]) {
    this.locales = [lang === "en" ? "en-GB" : lang, "fr"]; // 19:00 for all; where a browser has no Breton, French formats
  }

  /** The text of a name, with `{values}`; `one|other` by the number n. */
  t(word: Word, values: Values = {}): string {
    const forms = this.code(word).split("|");
    const form = forms.length > 1 && (this.plural ??= new Intl.PluralRules(this.locales)).select(Number(values.n)) !== "one" ? forms[1]! : forms[0]!;
    return form.replace(/{(\w+)}/g, (_, name: string) => String(values[name] ?? ""));
  }

  /** The text of a code of the API's, or "" where there is none. */
  code(code: string | number): string {
    return this.list[typeof code === "number" ? code : codes.indexOf(code)] ?? "";
  }

  price(cents: number): string {
    return (this.price_ ??= new Intl.NumberFormat(this.locales, { style: "currency", currency: "EUR" })).format(cents / 100);
  }

  private date(at: string | Date, options: Intl.DateTimeFormatOptions): string {
    const key = Object.values(options).join();
    const format = this.dates.get(key) ?? new Intl.DateTimeFormat(this.locales, { timeZone: zone, ...options });
    this.dates.set(key, format);
    return format.format(new Date(at));
  }

  time(at: string): string {
    return this.date(at, { hour: "numeric", minute: "2-digit" });
  }

  day(at: string | Date): string {
    return this.date(at, { weekday: "long", day: "numeric", month: "long" });
  }

  /** "14:00" today, "mardi 14:00" within a week, else with its date. */
  when(at: string): string {
    const away = Date.parse(at) - Date.now();
    const weekday = Math.abs(away) < 5e8 && this.date(at, { weekday: "long" }); // not quite six days: no two of them have one
    if (weekday && weekday === this.date(new Date(), { weekday: "long" })) return this.time(at);
    return (away > 0 && weekday ? weekday : this.day(at)) + " " + this.time(at);
  }

  /** The name of an ISO weekday, 1 is Monday. */
  weekday(n: number): string {
    return this.date(`2024-01-0${n}T12:00:00Z`, { weekday: "long" }); // the first was a Monday
  }
}

/** The words of a language; French where it is none of ours, or its file does not come. */
export async function words(lang: string, base: string): Promise<Words> {
  const hash = integrity[lang];
  try {
    if (hash) return new Words(lang, await (await fetch(`${base}${lang}.json`, { integrity: hash, credentials: "omit" })).json());
  } catch {
    // French is better than nothing
  }
  return new Words("fr", french);
}
