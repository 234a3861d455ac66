/** A place in a list ordered by creation, newest first. */
export interface ListPosition {
  readonly createdAt: Date;
  readonly id: string;
}

/** Whose objects a caller sees: everyone's, his merchant's, or his own as a payer. */
export type Visibility =
  | { readonly of: 'everyone' }
  | { readonly of: 'merchant'; readonly merchantId: string }
  | { readonly of: 'payer'; readonly userId: string };

/** Numbers parameters as conditions are added, so that a value never becomes SQL. */
export class Conditions {
  private readonly parts: string[] = [];
  readonly parameters: unknown[] = [];

  add(sql: (placeholder: string) => string, value: unknown): this {
    if (value === undefined) return this;
    this.parameters.push(value);
    this.parts.push(sql(`$${this.parameters.length}`));
    return this;
  }

  /** Behind this place in a list that is newest first. */
  behind(position: ListPosition | undefined): this {
    if (!position) return this;
    this.parameters.push(position.createdAt, position.id);
    this.parts.push(`(created_at, id) < ($${this.parameters.length - 1}, $${this.parameters.length})`);
    return this;
  }

  visibleTo(visibility: Visibility): this {
    if (visibility.of === 'merchant') return this.add((p) => `merchant_id = ${p}`, visibility.merchantId);
    return visibility.of === 'payer' ? this.add((p) => `user_id = ${p}`, visibility.userId) : this;
  }

  get where(): string {
    return this.parts.length === 0 ? '' : `WHERE ${this.parts.join(' AND ')}`;
  }
}
