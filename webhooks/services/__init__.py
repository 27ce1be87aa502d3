"""What a kept delivery becomes."""
