import { type EditorState, type Extension, StateField } from '@codemirror/state';
import { Decoration, type DecorationSet, EditorView } from '@codemirror/view';

export interface TextRange {
  from: number;
  to: number;
}

const masked = Decoration.mark({ class: 'cm-masked' });

/** Shows dots for parts of the text, as the field of a password does. */
export function mask(find: (text: string) => TextRange[]): Extension {
  const decorate = ({ doc }: EditorState) =>
    Decoration.set(
      find(doc.toString()).map(({ from, to }) => masked.range(from, to)),
      true,
    );
  return StateField.define<DecorationSet>({
    create: decorate,
    update: (known, { docChanged, state }) => (docChanged ? decorate(state) : known),
    provide: (field) => EditorView.decorations.from(field),
  });
}
