/** What is shown for values beyond the bound. */
const OTHER = 'other';

/**
 * Values of a label that others choose, such as the names of declared task types: the first so many as they are, all
 * further ones as `other`. Each value is a set of series that Prometheus keeps for weeks.
 */
export class BoundedLabel {
  private readonly known = new Set<string>();

  constructor(private readonly most: number) {}

  of(value: string): string {
    if (this.known.has(value)) return value;
    if (this.known.size >= this.most) return OTHER;
    this.known.add(value);
    return value;
  }
}
