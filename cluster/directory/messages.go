package directory

// GetView asks a registrar what it knows of the cluster. The answer is a *View.
type GetView struct{}

// SetState has this node take new broadcasts, or not. The answer is a *StateSet.
type SetState struct{ State Status }

// StateSet answers SetState.
type StateSet struct{ State Status }
