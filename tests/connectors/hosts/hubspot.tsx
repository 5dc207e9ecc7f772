// Stands for HubSpot around our card: its components drawn with plain elements, its `extend`, and its `fetch`, which goes
// to the test, as HubSpot's goes to HubSpot's own servers.

import { useId } from 'react';
import type { ReactNode } from 'react';
import { createRoot } from 'react-dom/client';

type Props = Record<string, any> & { children?: ReactNode };
const box = (name: string) => (props: Props) => <div className={name}>{props.children}</div>;

const DECORATIONS: Record<string, string> = { strikethrough: 'line-through' };

export const ButtonRow = box('buttons');
export const Text = ({ variant, format, children }: Props) => {
  const style = { fontStyle: format?.italic ? 'italic' : 'normal', textDecoration: DECORATIONS[format?.lineDecoration] };
  return <p className={variant ?? 'body'} style={style}>{children}</p>;
};
export const Heading = (props: Props) => <h2>{props.children}</h2>;
export const Divider = () => <hr />;
export const Tag = (props: Props) => <span className={`tag ${props.variant}`}>{props.children}</span>;
export const List = (props: Props) => <div className="list">{props.children}</div>;
export const Flex = (props: Props) => <div className={`flex ${props.direction} ${props.gap ?? ''}`}>{props.children}</div>;
export const LoadingSpinner = (props: Props) => <p className="spinner" role="status">{props.label}</p>;

export const Alert = (props: Props) => (
  <div className={`alert ${props.variant}`} role="alert">
    <strong>{props.title}</strong>
    <div>{props.children}</div>
  </div>
);

export const Button = (props: Props) => (
  <button className={props.variant ?? 'secondary'} disabled={props.disabled} onClick={props.onClick}>
    {props.children}
  </button>
);

function Labelled({ label, draw }: { label: string; draw: (id: string) => ReactNode }) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {draw(id)}
    </div>
  );
}

const heard = (props: Props) => (event: { target: { value: string } }) => {
  props.onInput?.(event.target.value);
  props.onChange?.(event.target.value);
};

export const Input = (props: Props) => (
  <Labelled label={props.label} draw={(id) => <input id={id} value={props.value} onChange={heard(props)} />} />
);
export const TextArea = (props: Props) => (
  <Labelled label={props.label} draw={(id) => <textarea id={id} rows={props.rows} value={props.value} onChange={heard(props)} />} />
);
export const Select = (props: Props) => (
  <Labelled
    label={props.label}
    draw={(id) => (
      <select id={id} value={props.value} onChange={heard(props)}>
        {props.options.map((one: { value: string; label: string }) => (
          <option key={one.value} value={one.value}>
            {one.label}
          </option>
        ))}
      </select>
    )}
  />
);

const query = new URLSearchParams(location.search);
const context = { crm: { objectId: query.get('deal'), objectTypeId: '0-3' } };
const actions = { copyTextToClipboard: async () => {}, refreshObjectProperties: () => void (document.title = 'refreshed') };

export const hubspot = {
  extend: (render: (given: any) => ReactNode) => {
    createRoot(document.getElementById('card')!).render(render({ context, actions }));
  },
  fetch: (url: string, options: { method: string; body?: unknown }) =>
    fetch('/fetched', { method: 'POST', body: JSON.stringify({ url, method: options.method, body: options.body ?? null }) }),
};
