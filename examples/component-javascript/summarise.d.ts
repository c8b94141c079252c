export declare function summarise(text: string): {
  readonly words: number;
  readonly longest: string;
  readonly lengths: readonly number[];
};
