package main

import (
	"fmt"
	"go/ast"
)

const (
	funcLinesMax = 70
	fileLinesMax = 500
	columnsMax   = 100
)

// checkForm holds the shape of one Go file that people write.
func checkForm(f *file) []finding {
	if f.generated {
		return nil
	}
	var found []finding
	if n := len(f.lines); n > fileLinesMax {
		found = append(found, finding{f.path, fileLinesMax + 1, "file-length", fmt.Sprintf(
			"%d lines, at most %d: split it by noun", n, fileLinesMax)})
	}
	for _, d := range f.ast.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			found = append(found, checkFunc(f, fn)...)
		}
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if c, ok := n.(*ast.CallExpr); ok {
			found = append(found, checkCall(f, c)...)
		}
		return true
	})
	return found
}

func checkFunc(f *file, fn *ast.FuncDecl) []finding {
	var found []finding
	if fn.Name.Name == "init" && fn.Recv == nil {
		found = append(found, f.at(fn.Pos(), "init",
			"build the value where it is used, or pass it from the composition root"))
	}
	lines := f.fset.Position(fn.End()).Line - f.fset.Position(fn.Pos()).Line + 1
	if lines > funcLinesMax {
		found = append(found, f.at(fn.Pos(), "func-length", fmt.Sprintf(
			"%s has %d lines, at most %d: name its parts", fn.Name.Name, lines, funcLinesMax)))
	}
	return found
}

// checkCall finds the two calls that make a test lie: skipping it, and sleeping instead of waiting
// for what should happen.
func checkCall(f *file, c *ast.CallExpr) []finding {
	sel, ok := c.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	x, ok := sel.X.(*ast.Ident)
	if !ok {
		return nil
	}
	switch sel.Sel.Name {
	case "Sleep":
		if x.Name == "time" {
			return []finding{f.at(c.Pos(), "sleep",
				"wait for the event with a deadline, or use testing/synctest")}
		}
	case "Skip", "Skipf", "SkipNow":
		if f.test() && testingName(x.Name) {
			return []finding{f.at(c.Pos(), "skip",
				"install what the test needs in make setup, or delete the test")}
		}
	}
	return nil
}

// testingName tells whether a variable is by convention a *testing.T, B, F or a testing.TB.
func testingName(name string) bool {
	return name == "t" || name == "b" || name == "f" || name == "tb"
}
