package supervise

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// row is one line of a drawing: the tree at its left, a few columns at its right.
type row struct {
	tree    string
	columns []string
}

// Draw writes the drawing of a declared tree: supervisors in brackets, workers in parentheses, a
// star behind what there can be any number of.
func Draw(w io.Writer, spec Spec) error {
	var rows []row
	declared(&rows, &spec, "", "", false)
	return write(w, rows)
}

func declared(rows *[]row, spec *Spec, lead, below string, many bool) {
	word := spec.Restart.String()
	if spec.Strategy != Worker {
		word = spec.Strategy.String()
	}
	name := label(spec)
	if many {
		name += " *"
	}
	*rows = append(*rows, row{tree: lead + name, columns: []string{word, spec.Note}})
	children := append(slices.Clone(spec.Children), spec.Templates...)
	for i := range children {
		branch, next := branches(i == len(children)-1)
		declared(rows, &children[i], below+branch, below+next, i >= len(spec.Children))
	}
}

func label(spec *Spec) string {
	if spec.Strategy == Worker {
		return "(" + spec.Name + ")"
	}
	return "[" + spec.Name + "]"
}

func branches(last bool) (branch, below string) {
	if last {
		return "└── ", "    "
	}
	return "├── ", "│   "
}

// write aligns the columns.
func write(w io.Writer, rows []row) error {
	var widths []int
	for _, r := range rows {
		for i, cell := range append([]string{r.tree}, r.columns...) {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, r := range rows {
		var line strings.Builder
		for i, cell := range append([]string{r.tree}, r.columns...) {
			line.WriteString(cell)
			line.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
		}
		if _, err := fmt.Fprintln(w, strings.TrimRight(line.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}

// Siblings bounds how many children of a dynamic supervisor the live tree shows.
const Siblings = 20

// DrawLive writes the live tree in the shape of the drawing, with the state of each actor. Of more
// than limit dynamic children it shows the first and counts the rest; limit 0 shows all.
func (c *Census) DrawLive(w io.Writer, now time.Time, limit int) error {
	var roots []*Vital
	below := map[*Vital][]*Vital{}
	c.mu.Lock()
	for _, v := range c.live {
		// What outlives its supervisor, abandoned, stands beside the root.
		if v.parent == nil || c.live[v.parent.pid.Id] != v.parent {
			roots = append(roots, v)
			continue
		}
		below[v.parent] = append(below[v.parent], v)
	}
	c.mu.Unlock()
	slices.SortFunc(roots, func(a, b *Vital) int { return cmp.Compare(a.order, b.order) })
	for _, siblings := range below {
		slices.SortFunc(siblings, func(a, b *Vital) int { return cmp.Compare(a.order, b.order) })
	}
	rows := []row{{columns: []string{"state", "restarts", "mailbox", "age", "goroutines", "up"}}}
	for _, root := range roots {
		alive(&rows, below, root, "", "", now, limit)
	}
	return write(w, rows)
}

func alive(rows *[]row, below map[*Vital][]*Vital, v *Vital, lead, indent string, now time.Time,
	limit int,
) {
	*rows = append(*rows, v.row(lead, now))
	children := below[v]
	shown := children
	if v.Spec.Strategy == Dynamic && limit > 0 && len(children) > limit {
		shown = children[:limit]
	}
	for i, child := range shown {
		branch, next := branches(i == len(children)-1)
		alive(rows, below, child, indent+branch, indent+next, now, limit)
	}
	if more := len(children) - len(shown); more > 0 {
		*rows = append(*rows, row{tree: fmt.Sprintf("%s└── … and %d more", indent, more)})
	}
}

func (v *Vital) row(lead string, now time.Time) row {
	goroutines := "-"
	if group := v.group.Load(); group != nil {
		goroutines = fmt.Sprint(group.Len())
	}
	columns := []string{
		State(v.state.Load()).String(),
		fmt.Sprint(v.starts.Load() - 1),
		fmt.Sprintf("%d/%d", v.mailbox.Len(), v.mailbox.Cap()),
		v.mailbox.Age(now).Round(time.Millisecond).String(),
		goroutines,
		now.Sub(time.Unix(0, v.since.Load())).Round(time.Second).String(),
	}
	if text := v.failure.Load(); text != nil {
		columns = append(columns, "last failure: "+strings.SplitN(*text, "\n", 2)[0])
	}
	return row{tree: lead + label(v.Spec), columns: columns}
}
