// What the bundler puts in the place of these names.

declare module "documents" {
  const hashes: { readonly [name: string]: string };
  export default hashes;
}

declare module "words" {
  /** Names that the sources make at run time; their texts come first in every list. */
  export const codes: readonly string[];
  export const french: readonly string[];
  /** What stands in files of their own, and what they are held against. */
  export const integrity: Readonly<Record<string, string>>;
}

declare module "*.css" {
  const text: string;
  export default text;
}
