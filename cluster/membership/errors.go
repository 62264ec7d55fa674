package membership

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// ErrUnreachable says that etcd did not answer in time, or not at all.
var ErrUnreachable = errors.New("etcd cannot be reached")

// ErrDenied says that etcd does not take this node's user, password or certificate.
var ErrDenied = errors.New("etcd denies access")

// ErrConfig says that what the client or the server was given cannot be used.
var ErrConfig = errors.New("the cluster's configuration is wrong")

// Outcome is what became of a call, out of a closed set.
type Outcome uint8

// The outcomes.
const (
	OK Outcome = iota
	Unreachable
	Denied
	Failed

	outcomes = iota
)

// String is the outcome as a label.
func (o Outcome) String() string {
	return [...]string{"ok", "unreachable", "denied", "failed"}[o]
}

// classify says what became of a call, and makes an error of ours of its error.
func classify(err error) (Outcome, error) {
	if err == nil {
		return OK, nil
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return Unreachable, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	if errors.Is(err, rpctypes.ErrAuthFailed) || errors.Is(err, rpctypes.ErrPermissionDenied) ||
		errors.Is(err, rpctypes.ErrUserEmpty) || errors.Is(err, rpctypes.ErrInvalidAuthToken) {
		return Denied, fmt.Errorf("%w: %w", ErrDenied, err)
	}
	code := status.Code(err)
	var etcd rpctypes.EtcdError
	if errors.As(err, &etcd) {
		code = etcd.Code()
	}
	switch code {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return Unreachable, fmt.Errorf("%w: %w", ErrUnreachable, err)
	case codes.Unauthenticated, codes.PermissionDenied:
		return Denied, fmt.Errorf("%w: %w", ErrDenied, err)
	}
	return Failed, err
}

// leaseGone tells whether etcd says that there is no such lease.
func leaseGone(err error) bool { return errors.Is(err, rpctypes.ErrLeaseNotFound) }
